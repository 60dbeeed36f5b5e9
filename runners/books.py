"""What the runner itself reads and writes in ML Metadata, in processes of their own.

The runner forks a worker for each node. A connection to a server in the runner would be shared with all of them, and
gRPC's threads would not survive the fork; so the runner never opens the store.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import os
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ml_metadata.proto import metadata_store_pb2
from tfx.orchestration.metadata import Metadata

from configs.fingerprint import settings_fingerprint
from configs.settings import Settings
from pipeline.pipeline import root
from runners.bounded_log import bounded_log
from runners.compiled import node_ids
from runners.continuation import NotContinuableError, check_unchanged, run_to_continue
from runners.data_rules import data_rules
from runners.finished_nodes import close_executions, finished_nodes
from runners.interrupt import uninterrupted
from runners.job import Job
from runners.metadata_store import metadata_connection
from runners.node import NodeOutcome
from runners.partial_run import Part, nodes_to_reuse, nodes_to_run, reuse
from runners.run_facts import data_facts, refused_facts, release_facts
from runners.run_folder import RunFolder, run_folder
from runners.run_record import RunRecord, State, now, run_record, run_records
from runners.worker import Worker
from schemas.errors import RunError, ScalableTFError

_KILLED = "The runner's process was killed."
_CLOSED = {
    "failed": metadata_store_pb2.Execution.FAILED,
    "interrupted": metadata_store_pb2.Execution.CANCELED,
}


class DoneAlreadyError(RunError):
    """Another run has done what the scheduler asks for."""


class Books:
    """The records of one pipeline's runs.

    Args:
        settings: the pipeline's.
        command: how this process was started, for the record.
        job: what the scheduler asks for; None: a user started the run.
        orchestrator: who walks the graph instead of this process, for the record; empty: this process does.
    """

    def __init__(self, settings: Settings, command: str, job: Job | None = None, orchestrator: str = "") -> None:
        self._settings = settings
        self._command = command
        self._job = job
        self._orchestrator = orchestrator
        self._pid = os.getpid()  # of the runner: the records are written in children

    def begin(self, run: RunFolder, part: Part | None = None) -> dict[str, NodeOutcome]:
        """Opens a new run; or, where an orchestrator repeats itself, the same once more.

        Args:
            run: its folder.
            part: the nodes that it is to run; None: all.

        Returns:
            What it takes from an earlier one: nothing, but for a partial run.

        Raises:
            RunError: a partial run has nothing to build on.
            DoneAlreadyError: another run has done what the scheduler asks for.
        """

        def work(metadata: Metadata) -> dict[str, Any]:
            self._close_dead(metadata, records := run_records(metadata, self._settings.name))
            before = next((record for record in self._here(records) if record.run_id == run.path.name), None)
            if before is None:
                self._check_undone(self._here(records))
            finished = self._prepared(metadata, run)
            self._record(run.path.name, part, before).put(metadata)
            return finished

        return _outcomes(self._in_a_process(work))

    def take_up(self, run_id: str, force_bless: str) -> tuple[RunFolder, dict[str, NodeOutcome]]:
        """Opens an earlier run again.

        Args:
            run_id: which; empty: the newest.
            force_bless: as the run was started with.

        Returns:
            The run, and what its nodes that ended well gave.

        Raises:
            NotContinuableError: there is no such run, or it can no longer be continued.
        """

        def work(metadata: Metadata) -> dict[str, Any]:
            self._close_dead(metadata, run_records(metadata, self._settings.name))
            record = run_to_continue(self._settings, self._here(run_records(metadata, self._settings.name)), run_id)
            try:
                run = RunFolder.load(run_folder(self._settings, record.run_id))
                check_unchanged(self._settings, run, record, force_bless)
                finished = self._prepared(metadata, run)
            except RunError as error:
                raise NotContinuableError(
                    error.what, where=error.where, received=error.received, fix=error.fix
                ) from error
            if record.state != "complete":
                self._continue(metadata, record, run, finished)
            return {"run_id": record.run_id, "finished": finished}

        found = self._in_a_process(work)
        return RunFolder.load(run_folder(self._settings, found["run_id"])), _outcomes(found["finished"])

    def finished(self, run: RunFolder) -> dict[str, NodeOutcome]:
        """What the nodes of a run that ended well gave.

        Raises:
            RunError: something of it is no longer as it was.
        """

        def work(metadata: Metadata) -> dict[str, Any]:
            return {node: outcome.to_dict() for node, outcome in self._finished(metadata, run).items()}

        return _outcomes(self._in_a_process(work))

    def end(
        self,
        run: RunFolder,
        state: State,
        message: str = "",
        *,
        error: str = "",
        outcomes: Mapping[str, NodeOutcome] | None = None,
    ) -> None:
        """Writes how a run ended.

        Args:
            run: its folder.
            state: how.
            message: what stopped it.
            error: the class of that.
            outcomes: how its nodes ended.
        """

        def work(metadata: Metadata) -> dict[str, Any]:
            run_id = run.path.name
            if state in _CLOSED:
                close_executions(metadata, run_id, _CLOSED[state])
            facts = {**data_facts(metadata, run_id), **release_facts(outcomes or {})}
            if state == "failed" and "data" not in facts:
                facts |= refused_facts(self._settings)
            record = run_record(metadata, self._settings.name, run_id)
            record.end(metadata, state, message, error=error, **facts)
            return {}

        self._in_a_process(work)

    def refuse(self, run_id: str, error: ScalableTFError, part: Part | None) -> None:
        """Writes of a run that the scheduler asked for, and that could not begin, that it failed.

        Args:
            run_id: what its id would have been.
            error: why.
            part: the nodes that it was to run; None: all.
        """

        def work(metadata: Metadata) -> dict[str, Any]:
            record = self._record(run_id, part)
            record.end(metadata, "failed", error.what, error=type(error).__name__)
            return {}

        self._in_a_process(work)

    def _in_a_process(self, work: Callable[[Metadata], dict[str, Any]]) -> dict[str, Any]:
        def entered() -> dict[str, Any]:
            with metadata_connection(self._settings) as metadata:
                return work(metadata)

        logs = root(self._settings) / "logs"
        logs.mkdir(parents=True, exist_ok=True)
        with contextlib.ExitStack() as started:
            with uninterrupted():
                worker = Worker("metadata", bounded_log(logs / "metadata.log"), entered)
                started.callback(worker.stop)
            while not worker.poll():
                time.sleep(0.005)
        return worker.result()

    def _record(self, run_id: str, part: Part | None, before: RunRecord | None = None) -> RunRecord:
        job = self._job
        record = RunRecord(
            run_id=run_id,
            pipeline=self._settings.name,
            state="running",
            started=(before.started if before else "") or now(),
            host=socket.gethostname(),
            pid=self._pid,
            command=self._command,
            output_dir=str(root(self._settings)),
            settings=settings_fingerprint(self._settings),
            purpose=self._settings.purpose,
            span=self._settings.data.span if self._settings.purpose == "training" else None,
            last=part.last if part else "",
            rules=data_rules(self._settings),
            orchestrator=self._orchestrator,
        )
        if job is None:
            kept = {name: getattr(before, name) for name in ("trigger", "tick", "attempt")} if before else {}
            return dataclasses.replace(record, **kept)
        return dataclasses.replace(record, trigger=job.trigger, tick=job.tick, attempt=job.attempt, order=job.order)

    def _continue(self, metadata: Metadata, record: RunRecord, run: RunFolder, finished: dict[str, Any]) -> None:
        """Writes that a run goes on here; one that was killed after its last node is complete."""
        here = self._record(record.run_id, None)
        kept = ("started", "last", "trigger", "tick", "version", "data")
        facts = {name: getattr(record, name) for name in kept}
        continued = dataclasses.replace(here, **facts, attempt=self._job.attempt if self._job else record.attempt)
        if finished.keys() >= set(nodes_to_run(run.pipeline)):
            released = release_facts(_outcomes(finished))
            continued.end(metadata, "complete", **{**data_facts(metadata, record.run_id), **released})
        else:
            continued.put(metadata)

    def _check_undone(self, records: Sequence[RunRecord]) -> None:
        """Of two schedulers that ask for the same, the second one comes here when the first one's run has ended."""
        job = self._job
        if job is None or job.again:
            return
        for record in records:
            done = record.state == "complete" and record.purpose == "training" and record.span == job.span
            if done and record.last in ("", job.last):
                raise DoneAlreadyError(
                    "The span is done already.",
                    where=f"span {job.span}",
                    received=f"run {record.run_id} is complete",
                    fix="Nothing is to be done; scalable-tf schedule backfill --again repeats it.",
                )

    def _close_dead(self, metadata: Metadata, records: Sequence[RunRecord]) -> None:
        """Whoever calls this holds the lock of output_dir: what is said to run there was killed."""
        for record in self._here(records):
            # Through a metadata service the lock of the store does not reach other machines.
            elsewhere = record.host != socket.gethostname() and (self._settings.metadata.url or "").startswith("grpc")
            if record.state == "running" and not elsewhere and not record.orchestrator:
                close_executions(metadata, record.run_id, metadata_store_pb2.Execution.CANCELED)
                record.end(metadata, "interrupted", _KILLED)

    def _prepared(self, metadata: Metadata, run: RunFolder) -> dict[str, Any]:
        """What the run has already, after it has got what a partial one takes from an earlier one."""
        finished = self._finished(metadata, run)
        if not finished.keys() >= set(nodes_to_reuse(run.pipeline)):
            reuse(metadata, self._settings, run)
            finished = self._finished(metadata, run)
        return {node: outcome.to_dict() for node, outcome in finished.items()}

    def _finished(self, metadata: Metadata, run: RunFolder) -> dict[str, NodeOutcome]:
        return finished_nodes(metadata, self._settings.name, run.path.name, node_ids(run.pipeline))

    def _here(self, records: Sequence[RunRecord]) -> list[RunRecord]:
        """The runs in this output_dir, newest first."""
        real = functools.cache(os.path.realpath)
        return [record for record in records if real(record.output_dir) == real(root(self._settings))]


def _outcomes(found: dict[str, Any]) -> dict[str, NodeOutcome]:
    return {node: NodeOutcome.from_dict(given) for node, given in found.items()}
