"""The last task of a run on Kubeflow, whatever came before: closes the run's record and tells who wants to know."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from ml_metadata.proto import metadata_store_pb2

from configs.kubeflow import BEGIN, WEBHOOK_VARIABLE, Kubeflow
from configs.settings import Settings
from runners.compiled import node_ids
from runners.finished_nodes import close_executions
from runners.history.existing_store import existing_store
from runners.history.logged_error import logged_error
from runners.history.run_detail import NodeDetail, run_detail
from runners.interrupt import interruptible
from runners.kubeflow.orchestrated_run import begun_run, check_run_id, shared_root
from runners.kubeflow.root.run_files import RunFiles
from runners.run_facts import data_facts
from runners.run_record import run_records
from runners.webhook import tell
from schemas.errors import RunError, SettingsError

_LOG = logging.getLogger(__name__)
_CANCELED = ("CANCELLED", "CANCELED")
_DONE = ("complete", "cached")
_ENDED_BADLY = ("failed", "interrupted", "died", "running")


@dataclass(frozen=True)
class RunOutcome:
    """How a run ended, as the webhook is told.

    Attributes:
        pipeline: its name.
        run_id: Kubeflow's id of the run.
        outcome: how it ended.
        task: the node that failed first, or `begin`; empty where none did.
        message: what that one said, or what is known of it; empty where nothing failed.
        blessed: the Evaluator's verdict; None where it gave none.
        release: version that was released; None where none was.
    """

    pipeline: str
    run_id: str
    outcome: Literal["complete", "failed", "interrupted"]
    task: str = ""
    message: str = ""
    blessed: bool | None = None
    release: int | None = None


def end_run(settings: Settings, run_id: str, status: str, environment: Mapping[str, str]) -> RunOutcome:
    """Says in ML Metadata how a run ended, and tells the webhook.

    What counts is what the nodes themselves have recorded; Kubeflow's word is only asked about what they could not say:
    whether somebody terminated the run.

    Args:
        settings: of the run.
        run_id: Kubeflow's.
        status: Kubeflow's PipelineTaskFinalStatus, as JSON; it may be empty.
        environment: where the secrets of the webhook's address are.

    Raises:
        ScalableTFError: the record could not be written; the webhook was told all the same. So it is with any other.
    """
    check_run_id(run_id)
    canceled = _state(status) in _CANCELED
    error: Exception | None = None
    try:
        outcome = _close(settings, run_id, canceled)
    except Exception as raised:  # whatever it is, somebody waits for the outcome
        error = raised
        outcome = RunOutcome(settings.name, run_id, "interrupted" if canceled else "failed", BEGIN, str(raised))
    if (address := _webhook(settings.kubeflow, environment)) is not None:
        tell(address, asdict(outcome))
    if error is not None:
        raise error
    return outcome


def _webhook(kubeflow: Kubeflow, environment: Mapping[str, str]) -> str | None:
    if kubeflow.webhook is None:
        return environment.get(WEBHOOK_VARIABLE)
    try:
        return kubeflow.webhook.reveal(environment)
    except SettingsError as error:
        _LOG.error("The webhook was not told: %s", error)
        return None


def _state(status: str) -> str:
    try:
        return str(json.loads(status or "{}").get("state", ""))
    except (ValueError, AttributeError):
        _LOG.warning("Kubeflow's status of the run is not understood: %s", status[:200])
        return ""


def _close(settings: Settings, run_id: str, canceled: bool) -> RunOutcome:
    if (shared := shared_root(settings)) is not None:
        RunFiles(shared, run_id).bring(None)  # logs say what ended a node
    run = begun_run(settings, run_id)
    connection = existing_store(settings)
    # Without the lock of output_dir: a local run that holds it does not touch this run's record.
    with interruptible():
        with connection as metadata:
            records = run_records(metadata, settings.name)
        record = next((record for record in records if record.run_id == run_id), None)
        if record is None:
            raise RunError(
                "The run has no record: it was not begun.",
                where=f"run {run_id}",
                fix="See the log of the task begin.",
            )
        detail = run_detail(connection, records, record)
        nodes = {node.node: node for node in detail.nodes}
        failed = next((node for name in node_ids(run.pipeline) if _is_bad(node := nodes[name])), None)
        if failed is None and all(nodes[name].state in _DONE for name in node_ids(run.pipeline)):
            outcome = RunOutcome(settings.name, run_id, "complete", blessed=detail.blessed, release=detail.release)
        else:
            failed = failed or next(nodes[name] for name in node_ids(run.pipeline) if nodes[name].state not in _DONE)
            state: Literal["failed", "interrupted"] = "interrupted" if canceled else "failed"
            outcome = RunOutcome(settings.name, run_id, state, failed.node, _message(failed), detail.blessed)
        with connection as metadata:
            if outcome.outcome != "complete":
                states = metadata_store_pb2.Execution
                close_executions(metadata, run_id, states.CANCELED if canceled else states.FAILED)
            first = outcome.message.partition("\n")[0]
            facts = {**data_facts(metadata, run_id), "release": outcome.release or 0}
            record.end(metadata, outcome.outcome, f"{outcome.task}: {first}" if outcome.task else "", **facts)
    return outcome


def _is_bad(node: NodeDetail) -> bool:
    return node.state in _ENDED_BADLY


def _message(node: NodeDetail) -> str:
    # What fails before the executor, such as a search for data, leaves the execution as it was.
    if error := node.error or (logged_error(Path(node.log)) if node.log else None):
        return error
    if node.state == "not run":
        return "The task did not start; the events of its pod say why, such as an image that cannot be pulled."
    return "The task ended without a word: its pod was terminated, evicted, or out of memory."
