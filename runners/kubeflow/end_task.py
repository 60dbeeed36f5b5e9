"""The last task of a run on Kubeflow, whatever came before: closes the run's record and tells who wants to know."""

from __future__ import annotations

import contextlib
import json
import logging
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

from ml_metadata.proto import metadata_store_pb2
from tfx.orchestration.metadata import Metadata

from configs.kubeflow import BEGIN, DRY_RUN_VARIABLE, END
from configs.settings import Settings
from pipeline import nodes
from runners.compiled import node_ids
from runners.finished_nodes import close_executions, finished_nodes
from runners.history.existing_store import existing_store
from runners.history.logged_error import logged_error, logged_error_class
from runners.history.run_detail import NodeDetail, run_detail
from runners.interrupt import interruptible
from runners.kubeflow.orchestrated_run import NotBegunError, begun_run, check_run_id, shared_root
from runners.kubeflow.root.run_files import RunFiles
from runners.kubeflow.run_outcome import RunOutcome, tell_outcome
from runners.kubeflow.service.state_of_run import state_of_run
from runners.run_facts import data_facts, refused_facts, release_facts
from runners.run_record import run_records
from runners.schedule.lost_runs import CANCELED
from schemas.artifact_contents import kept_elsewhere
from schemas.errors import RunError

_LOG = logging.getLogger(__name__)
_PAUSES = (2, 10, 30)
"""Seconds; what the records say is worth more than to be told soon."""
_DONE = ("complete", "cached")
_SUCCEEDED = ("COMPLETE", "CACHED")
"""States of Kubeflow's PipelineTaskFinalStatus: those of executions in ML Metadata."""
_ENDED_BADLY = ("failed", "interrupted", "died", "running")


def end_run(settings: Settings, run_id: str, status: str, environment: Mapping[str, str]) -> RunOutcome:
    """Says in ML Metadata how a run ended, and tells the webhook.

    What counts is what the nodes themselves have recorded; Kubeflow's word is only asked about what they could not say:
    whether somebody terminated the run, and, where the records cannot be read, how it ended. The status does not always
    say it: then its API server is asked, if kubeflow.host names it.

    Args:
        settings: of the run.
        run_id: Kubeflow's.
        status: Kubeflow's PipelineTaskFinalStatus, as JSON; it may be empty.
        environment: where the secrets of the webhook's address are, and who we are to the API server.

    Raises:
        ScalableTFError: the record could not be written; the webhook was told all the same. So it is with any other.
    """
    check_run_id(run_id)
    state = _state(status)
    canceled = _is_canceled(settings, run_id, state, environment)
    error: Exception | None = None
    try:
        outcome = _closed(settings, run_id, canceled=canceled)
    except Exception as raised:  # whatever it is, somebody waits for the outcome
        error = raised
        outcome = _outcome_of(settings, run_id, raised, is_complete=state in _SUCCEEDED, canceled=canceled)
    tell_outcome(settings, outcome, environment)
    if error is not None:
        raise error
    return outcome


def _closed(settings: Settings, run_id: str, *, canceled: bool) -> RunOutcome:
    for pause in _PAUSES:
        try:
            with run_files(settings, run_id):
                return close_run(settings, run_id, canceled=canceled)
        except NotBegunError:
            raise
        except RunError as error:  # the stores may be back soon
            _LOG.warning("Tried again in %d s: %s", pause, error)
            time.sleep(pause)
    with run_files(settings, run_id):
        return close_run(settings, run_id, canceled=canceled)


@contextlib.contextmanager
def run_files(settings: Settings, run_id: str) -> Iterator[None]:
    """The files of a run on this disk, brought from the shared root where there is one."""
    shared = shared_root(settings)
    if shared is None:
        yield
        return
    files = RunFiles(shared, run_id)
    with kept_elsewhere(shared.is_altered):
        files.bring()
        files.bring_logs()  # they say what ended a node
        yield


def close_run(settings: Settings, run_id: str, *, canceled: bool, why: str = "") -> RunOutcome:
    """Writes into a run's record how it ended, by what its nodes have recorded, with the fields of a local run.

    Inside of `run_files`.

    Args:
        settings: with the output_dir and the store of the run.
        run_id: Kubeflow's.
        canceled: whether somebody terminated it.
        why: what is known of its end beside what the nodes say.

    Raises:
        NotBegunError: it was not begun.
        RunError: the store cannot be reached.
    """
    run = begun_run(settings, run_id)
    connection = existing_store(settings)
    # Without the lock of output_dir: a local run that holds it does not touch this run's record.
    with interruptible():
        with connection as metadata:
            records = run_records(metadata, settings.name)
        record = next((record for record in records if record.run_id == run_id), None)
        if record is None:
            raise NotBegunError(
                "The run has no record: it was not begun.",
                where=f"run {run_id}",
                fix="See the log of the task begin.",
            )
        detail = run_detail(connection, records, record)
        found = {node.node: node for node in detail.nodes}
        bad = [node for name in node_ids(run.pipeline) if (node := found[name]).state in _ENDED_BADLY]
        failed = min(bad, key=_precedence, default=None)
        error = ""
        if failed is None and all(found[name].state in _DONE for name in node_ids(run.pipeline)):
            outcome = RunOutcome(settings.name, run_id, "complete", blessed=detail.blessed, release=detail.release)
        else:
            failed = failed or next(found[name] for name in node_ids(run.pipeline) if found[name].state not in _DONE)
            state: Literal["failed", "interrupted"] = "interrupted" if canceled else "failed"
            outcome = RunOutcome(settings.name, run_id, state, failed.node, _message(failed, why), detail.blessed)
            error = "" if canceled else logged_error_class(Path(failed.log))
        with connection as metadata:
            if outcome.outcome != "complete":
                states = metadata_store_pb2.Execution
                close_executions(metadata, run_id, states.CANCELED if canceled else states.FAILED)
            first = outcome.message.partition("\n")[0]
            facts = _facts(metadata, run.settings, run_id, outcome)
            message = f"{outcome.task}: {first}" if outcome.task else ""
            record.end(metadata, outcome.outcome, message, error=error, **facts)
    return outcome


def _outcome_of(settings: Settings, run_id: str, error: Exception, *, is_complete: bool, canceled: bool) -> RunOutcome:
    """Of a run whose own records cannot be read: Kubeflow's word, and why there is no other."""
    if is_complete:
        return RunOutcome(settings.name, run_id, "complete", END, str(error))
    task = BEGIN if isinstance(error, NotBegunError) else END
    return RunOutcome(settings.name, run_id, "interrupted" if canceled else "failed", task, str(error))


def _facts(metadata: Metadata, settings: Settings, run_id: str, outcome: RunOutcome) -> dict[str, Any]:
    """What the local runner records at the end of a run, too: data, release, and why there is none."""
    facts = {**data_facts(metadata, run_id), "release": outcome.release or 0}
    if outcome.outcome == "failed" and "data" not in facts:
        facts |= refused_facts(settings)
    with contextlib.suppress(RunError):  # what Pusher made is altered already: that is not this run's end
        facts |= release_facts(finished_nodes(metadata, settings.name, run_id, [nodes.PUSHER]))
    return facts


def _state(status: str) -> str:
    try:
        return str(json.loads(status or "{}").get("state", ""))
    except (ValueError, AttributeError):
        _LOG.warning("Kubeflow's status of the run is not understood: %s", status[:200])
        return ""


def _is_canceled(settings: Settings, run_id: str, state: str, environment: Mapping[str, str]) -> bool:
    # Of a run that is being terminated the status is RUNNING or FAILED, as of one whose pods were killed.
    host = None if DRY_RUN_VARIABLE in environment else settings.kubeflow.host
    if state in (*_SUCCEEDED, *CANCELED) or host is None:
        return state in CANCELED
    return state_of_run(host, run_id, environment) in (*CANCELED, "CANCELING")


def _precedence(node: NodeDetail) -> tuple[bool, float]:
    """What failed, before what was cut off by that; of several, the one that ended first."""
    return node.state != "failed", (node.started or 0) + 1000 * (node.seconds or 0)


def _message(node: NodeDetail, why: str) -> str:
    # What fails before the executor, such as a search for data, leaves the execution as it was.
    if error := node.error or (logged_error(Path(node.log)) if node.log else None):
        return error
    if why:
        return why
    if node.state == "not run":
        return "The task did not start; the events of its pod say why, such as an image that cannot be pulled."
    return "The task ended without a word: its pod was terminated, evicted, or out of memory."
