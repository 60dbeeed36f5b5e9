"""A run on this machine: the compiled graph is walked, by us or by Beam, each node in a worker process of its own."""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import socket
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import tensorflow_data_validation.api.validation_api  # noqa: F401 - several nodes need it, and it is loaded once here
from absl import logging as absl_logging
from rich.console import Console

from configs.engine import Engine
from configs.secret import secret_environment
from configs.settings import Settings
from pipeline import nodes
from pipeline.pipeline import root
from runners.beam_walk import beam_walk
from runners.books import Books, DoneAlreadyError
from runners.compiled import compile_pipeline, with_run_id
from runners.elsewhere import Elsewhere
from runners.interrupt import Interrupted, interruptible
from runners.job import Job
from runners.job_server import job_servers, require_job_servers
from runners.metadata.sqlite import SqliteBackend
from runners.metadata.store_backend import store_backend
from runners.metadata_store import metadata_connection
from runners.node import NodeOutcome, run_node
from runners.node_profile import FOLDER, profiled
from runners.output_lock import output_lock
from runners.partial_run import Part, mark, nodes_to_run
from runners.progress import Progress
from runners.run_folder import RunFolder, run_folder
from runners.store_lock import store_lock
from runners.walk import Walk, walk
from schemas.errors import RunError, ScalableTFError

_CLEARING_SECONDS = 10.0


@dataclass
class RunResult:
    """What a run gave.

    Attributes:
        run_id: name of the run in ML Metadata and of its folder in logs/.
        logs: folder of the log files, one a node.
        outcomes: nodes that ended well, now or, in a run that was resumed or is partial, before.
        errors: nodes that failed.
        not_run: nodes that were not started because one before them failed.
        seconds: wall time.
    """

    run_id: str
    logs: Path
    outcomes: dict[str, NodeOutcome] = field(default_factory=dict)
    errors: dict[str, ScalableTFError] = field(default_factory=dict)
    not_run: list[str] = field(default_factory=list)
    seconds: float = 0.0


def run_local(
    settings: Settings,
    console: Console,
    *,
    force_bless: str = "",
    resume: str | None = None,
    part: Part | None = None,
    command: str = "",
    profile: bool = False,
    job: Job | None = None,
) -> RunResult:
    """Runs a pipeline on this machine.

    Nodes run as soon as those before them have ended, `runner.parallel_nodes` at a time, or one at a time by
    `runner.kind: beam`. When one fails, those that need it are not run, and the others go on. Ctrl-C, SIGTERM and
    SIGHUP stop the workers and mark the run.

    Args:
        settings: validated settings.
        console: where progress is shown.
        force_bless: reason for blessing the model whatever its metrics, or empty.
        resume: id of a run to continue, empty for the newest; None: a new run.
        part: nodes of the new run; None: all.
        command: how this process was started, for the run's record.
        profile: whether each node that runs is profiled.
        job: what the scheduler asks for, where it does; the run's record says so.

    Raises:
        SettingsError: output_dir cannot be written to.
        SetupError: the engine's job server cannot be started here.
        RunError: another run holds output_dir or the store, the store is gone, or there is nothing to build on.
        NotContinuableError: the run that is to be resumed cannot be.
        Interrupted: a signal ended it.
    """
    started = time.monotonic()
    require_job_servers(settings.engine, os.environ)
    holder = f"process {os.getpid()} on {socket.gethostname()} since {time.strftime('%Y-%m-%d %H:%M:%S')}"
    with contextlib.ExitStack() as held:
        held.enter_context(interruptible())
        held.enter_context(output_lock(root(settings), holder))
        check_artifacts(settings)
        held.enter_context(store_lock(settings, holder))
        books = Books(settings, command, job)
        if resume is None:
            run, finished = _begun(settings, force_bless, part, books, job)
        else:
            run, finished = books.take_up(resume, force_bless)
        waiting = [node for node in nodes_to_run(run.pipeline) if node not in finished]
        now = "starts" if resume is None else "continues" if waiting else "is complete, nothing is left to run"
        console.print(f"Run {run.path.name} of {settings.name} {now}. Logs: {run.path}", markup=False, highlight=False)
        done = _walk(run, finished, waiting, settings, books, console, profile) if waiting else Walk()
    outcomes = {node: NodeOutcome.from_dict(given) for node, given in done.results.items()}
    return RunResult(
        run.path.name, run.path, {**finished, **outcomes}, done.errors, done.not_run, time.monotonic() - started
    )


def run_one_node(logs: Path, node_id: str) -> NodeOutcome:
    """Runs one node of an existing run again, in this process: what other orchestrators do for each of their tasks.

    Args:
        logs: the run's folder, `<output_dir>/logs/<run id>`, with its compiled pipeline and its settings.
        node_id: which node; those before it must have run.

    Raises:
        RunError: the folder is not that of a run, there is no such node, its inputs are not there, or a local run or
            clean holds its output_dir; other nodes may run at the same time.
    """
    run = RunFolder.load(logs)
    with (
        output_lock(root(run.settings), f"scalable-tf node, process {os.getpid()}", shared=True),
        job_servers(run.settings.engine.of(node_id), run.path, os.environ) as engine,
    ):
        return run_node(run.pipeline, node_id, metadata_connection(run.settings), engine)


def _begun(
    settings: Settings, force_bless: str, part: Part | None, books: Books, job: Job | None
) -> tuple[RunFolder, dict[str, NodeOutcome]]:
    """A new run, and what it takes from an earlier one."""
    run_id = f"{time.strftime('%Y%m%dT%H%M%S')}-{secrets.token_hex(3)}"
    try:
        run = _new_run(settings, run_id, force_bless, part)
        try:
            return run, books.begin(run, part)
        except ScalableTFError:
            run.discard()
            raise
    except ScalableTFError as error:
        if job is not None and not isinstance(error, DoneAlreadyError):
            with contextlib.suppress(ScalableTFError):  # the store may be what is wrong
                books.refuse(run_id, error, part)
        raise


def _new_run(settings: Settings, run_id: str, force_bless: str, part: Part | None) -> RunFolder:
    pipeline = with_run_id(compile_pipeline(settings, force_bless=force_bless), run_id)
    if part is not None:
        mark(pipeline, part)
    run = RunFolder(run_folder(settings, run_id), pipeline, settings)
    run.save()
    return run


def _walk(
    run: RunFolder,
    finished: Mapping[str, NodeOutcome],
    waiting: Sequence[str],
    settings: Settings,
    books: Books,
    console: Console,
    profile: bool,
) -> Walk:
    """Runs the waiting nodes, and writes how the run ended."""
    upstream = {
        node.pipeline_node.node_info.id: [one for one in node.pipeline_node.upstream_nodes if one in waiting]
        for node in run.pipeline.nodes
        if node.pipeline_node.node_info.id in waiting
    }
    with (
        _closed(books, run),
        job_servers(settings.engine, run.path, os.environ) as engine,
        Progress(console, [*finished, *waiting]) as progress,
    ):
        for node in finished:
            progress.set(node, "kept")
        done = (beam_walk if settings.runner.kind == "beam" else walk)(
            upstream,
            lambda node: node_work(run, node, settings, engine, profile),
            logs=run.path,
            parallel=settings.runner.parallel_nodes,
            progress=progress,
            # A training saves its state first; its launcher then has some seconds to clear up.
            grace=settings.training.cluster.grace_seconds + _CLEARING_SECONDS,
        )
    for node, error in done.errors.items():
        books.end(run, "failed", f"{node}: {error.what}", error=type(error).__name__)
        break
    else:
        outcomes = {node: NodeOutcome.from_dict(given) for node, given in done.results.items()}
        books.end(run, "complete", outcomes={**finished, **outcomes})
    return done


@contextlib.contextmanager
def _closed(books: Books, run: RunFolder) -> Iterator[None]:
    """Marks a run that does not come to its end."""
    try:
        yield
    except BaseException as error:
        with contextlib.suppress(ScalableTFError):  # the store may be what is gone
            if isinstance(error, ScalableTFError):
                books.end(run, "failed", error.what, error=type(error).__name__)
            else:
                books.end(run, "interrupted", f"{type(error).__name__}: {error}")
        if isinstance(error, Interrupted):
            error.run_id = run.path.name
        raise


def check_artifacts(settings: Settings) -> None:
    """Refuses artifacts of a store that is gone: its execution numbers would be used again, and files would mix.

    Raises:
        RunError: there are some.
    """
    artifacts, store = root(settings) / "artifacts", store_backend(settings)
    if settings.metadata.url is not None or not isinstance(store, SqliteBackend) or store.path.exists():
        return
    if artifacts.is_dir() and any(artifacts.iterdir()):
        raise RunError(
            "There are artifacts, but the metadata store that knows them is gone.",
            where=str(artifacts),
            received=f"no {store.path}",
            fix="Put the store back, or move the artifacts away; releases are not affected.",
        )


def node_work(
    run: RunFolder, node_id: str, settings: Settings, engine: Engine, profile: bool, elsewhere: Elsewhere | None = None
) -> dict[str, Any]:
    """What the worker of a node does.

    Args:
        run: whose node.
        node_id: which.
        settings: of the run, with the secrets that were written out in them.
        engine: as `run_node` wants it.
        profile: whether it is profiled.
        elsewhere: as `run_node` wants it.

    Returns:
        A `NodeOutcome`, JSON-ready.
    """
    logging.basicConfig(level=settings.logging.level.upper(), force=True)
    absl_logging.set_verbosity(settings.logging.level)
    if node_id in (nodes.EXAMPLE_GEN, nodes.INFERENCE_EXAMPLE_GEN):
        # TFX's drivers get text only: a query names its secrets by their variables.
        os.environ.update(secret_environment(settings.data) | secret_environment(settings.inference))
    with profiled(run.path / FOLDER, node_id) if profile else contextlib.nullcontext():
        return run_node(run.pipeline, node_id, metadata_connection(settings), engine, elsewhere).to_dict()
