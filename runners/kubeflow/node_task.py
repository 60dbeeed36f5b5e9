"""A node of a run on Kubeflow, in a process that is logged, limited in time, and ended with all that it started."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TextIO

from configs.settings import Settings
from pipeline.pipeline import root
from runners.books import Books
from runners.history.logged_error import logged_error_class
from runners.interrupt import interruptible, uninterrupted
from runners.job_server import job_servers
from runners.kubeflow.orchestrated_run import ORCHESTRATOR, begun_run, holder
from runners.local import node_work
from runners.node import NodeOutcome
from runners.output_lock import output_lock
from runners.run_folder import RunFolder
from runners.worker import Worker
from schemas.errors import RunError, ScalableTFError

_POLL_SECONDS = 0.1
_CLEARING_SECONDS = 10.0


def run_node_task(
    settings: Settings, run_id: str, node_id: str, environment: Mapping[str, str], stream: TextIO
) -> NodeOutcome:
    """Runs a node of a run that was begun; one that has ended well before is not run again.

    Args:
        settings: with the output_dir of the run, which has the settings that count.
        run_id: Kubeflow's.
        node_id: which node.
        environment: of the processes that its engine needs.
        stream: gets what goes to the node's log.

    Raises:
        ScalableTFError: as the node raised it.
        RunError: it took too long, was killed, or the nodes before it have not run.
    """
    run = begun_run(settings, run_id)
    with contextlib.ExitStack() as held:
        held.enter_context(interruptible())
        held.enter_context(output_lock(root(run.settings), holder(node_id), shared=True))
        finished = Books(run.settings, "", orchestrator=ORCHESTRATOR).finished(run).get(node_id)
        if finished is not None:
            return finished
        engine = held.enter_context(job_servers(run.settings.engine.of(node_id), run.path, environment))
        log = run.path / f"{node_id}.log"
        copied = log.stat().st_size if log.exists() else 0
        grace = run.settings.training.cluster.grace_seconds + _CLEARING_SECONDS
        with uninterrupted():
            worker = Worker(node_id, log, lambda: node_work(run, node_id, run.settings, engine, False))
            held.callback(worker.stop, grace)
        limit = run.settings.kubeflow.task(node_id).timeout_seconds
        deadline = None if limit is None else time.monotonic() + limit
        while not worker.poll():
            copied = _copy(log, copied, stream)
            if deadline is not None and time.monotonic() > deadline:
                worker.stop(grace)
                _copy(log, copied, stream)
                raise _too_long(run, node_id, limit)
            time.sleep(_POLL_SECONDS)
        _copy(log, copied, stream)
        try:
            return NodeOutcome.from_dict(worker.result())
        except ScalableTFError as error:
            if worker.killed or logged_error_class(log) != type(error).__name__:
                _note(log, error)
            raise


def _copy(log: Path, start: int, stream: TextIO) -> int:
    """Hands on what the log has got, and returns its length."""
    with contextlib.suppress(FileNotFoundError), log.open("rb") as file:
        file.seek(start)
        text = file.read()
        stream.write(text.decode("utf-8", "replace"))
        stream.flush()
        start += len(text)
    return start


def _too_long(run: RunFolder, node_id: str, limit: int | None) -> RunError:
    error = RunError(
        "The task took longer than it may, and was ended.",
        where=f"node {node_id}",
        received=f"{limit} s",
        fix=f"Raise kubeflow.nodes.{node_id}.timeout_seconds, or give it more resources.",
    )
    _note(run.path / f"{node_id}.log", error)
    return error


def _note(log: Path, error: ScalableTFError) -> None:
    """Writes what the log does not end with, such as a mistake that a framework has wrapped: `end` reads it there."""
    with contextlib.suppress(OSError), log.open("a", encoding="utf-8") as file:
        file.write(f"schemas.errors.{type(error).__name__}: {error}{os.linesep}")
