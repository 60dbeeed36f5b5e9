"""A node of a run on Kubeflow, in a process that is logged, limited in time, and ended with all that it started."""

from __future__ import annotations

import contextlib
import logging
import os
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TextIO

from components.example_gen.kept_folder import fetched_by
from configs.settings import Settings
from pipeline.pipeline import root
from runners.books import Books
from runners.elsewhere import Elsewhere
from runners.history.logged_error import logged_error_class
from runners.interrupt import interruptible, uninterrupted
from runners.job_server import job_servers
from runners.kubeflow.orchestrated_run import ORCHESTRATOR, begun_run, check_run_id, holder, shared_root
from runners.kubeflow.root.node_files import NodeFiles
from runners.kubeflow.root.run_files import RunFiles
from runners.local import node_work
from runners.node import NodeOutcome
from runners.output_lock import output_lock
from runners.run_folder import RunFolder
from runners.worker import Worker
from schemas.artifact_contents import kept_elsewhere
from schemas.errors import RunError, ScalableTFError

_LOG = logging.getLogger(__name__)
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
    check_run_id(run_id)
    shared = shared_root(settings)
    if shared is None:
        return _run(settings, run_id, node_id, environment, stream, None)
    run_files, files = RunFiles(shared, run_id), NodeFiles(shared, run_id, node_id)
    run_files.bring([f"{node_id}.log"])
    with kept_elsewhere(shared.is_altered), fetched_by(files.fetch), _taken(run_files, files):
        outcome = _run(settings, run_id, node_id, environment, stream, files)
    try:
        files.bring_shown(outcome)
    except ScalableTFError as error:  # the node has ended well
        _LOG.warning("What Kubeflow would show of %s could not be brought: %s", node_id, error)
    return outcome


@contextlib.contextmanager
def _taken(run_files: RunFiles, files: NodeFiles) -> Iterator[None]:
    """Takes the log to the shared root, and of a node that did not end well what its next attempt goes on with."""
    try:
        yield
    except BaseException as ended:
        # What ended the node is what counts. Its log is worth less than a training's checkpoints, and follows them.
        try:
            files.take_unfinished(is_ending=not isinstance(ended, Exception))
        except ScalableTFError as error:
            _LOG.warning("What the next attempt would go on with could not be kept: %s", error)
        try:
            run_files.take()
        except ScalableTFError as error:
            _LOG.warning("The log could not be kept: %s", error)
        raise
    run_files.take()


def _run(
    settings: Settings,
    run_id: str,
    node_id: str,
    environment: Mapping[str, str],
    stream: TextIO,
    elsewhere: Elsewhere | None,
) -> NodeOutcome:
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
            worker = Worker(node_id, log, lambda: node_work(run, node_id, run.settings, engine, False, elsewhere))
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
