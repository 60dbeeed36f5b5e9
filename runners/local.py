"""The local runner: walks the compiled graph on this machine, each node in a worker process of its own."""

from __future__ import annotations

import contextlib
import fcntl
import json
import logging
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from absl import logging as absl_logging
from rich.console import Console
from tfx.dsl.compiler import compiler, constants
from tfx.orchestration.portable.runtime_parameter_utils import substitute_runtime_parameter
from tfx.proto.orchestration import pipeline_pb2

from configs.settings import Settings
from pipeline.pipeline import create_pipeline, root
from runners.engines import beam_pipeline
from runners.metadata_store import metadata_connection
from runners.node import NodeOutcome, run_node
from runners.progress import Progress
from runners.worker import Worker
from schemas.errors import RunError, ScalableTFError, SettingsError


@dataclass
class RunResult:
    """What a run gave.

    Attributes:
        run_id: name of the run in ML Metadata and of its folder in logs/.
        outcomes: nodes that ended well.
        errors: nodes that failed.
        not_run: nodes that were not started because one before them failed.
        logs: folder of the log files, one a node.
        seconds: wall time.
    """

    run_id: str
    logs: Path
    outcomes: dict[str, NodeOutcome] = field(default_factory=dict)
    errors: dict[str, ScalableTFError] = field(default_factory=dict)
    not_run: list[str] = field(default_factory=list)
    seconds: float = 0.0


def compile_pipeline(settings: Settings, *, force_bless: str = "") -> pipeline_pb2.Pipeline:
    """The pipeline's intermediate representation, its run id still open."""
    return compiler.Compiler().compile(create_pipeline(settings, force_bless=force_bless))


def run_local(settings: Settings, console: Console, *, force_bless: str = "") -> RunResult:
    """Runs the whole pipeline on this machine.

    Nodes run as soon as those before them have ended, `runner.parallel_nodes` at a time. When one fails, those that
    need it are not run, and the others go on.

    Args:
        settings: validated settings.
        console: where progress is shown.
        force_bless: reason for blessing the model whatever its metrics, or empty.

    Raises:
        SettingsError: output_dir cannot be written to.
        RunError: another run holds output_dir.
    """
    started = time.monotonic()
    with _hold(root(settings)):
        pipeline = compile_pipeline(settings, force_bless=force_bless)
        run_id = time.strftime("%Y%m%dT%H%M%S") + f"-{os.getpid()}"
        substitute_runtime_parameter(pipeline, {constants.PIPELINE_RUN_ID_PARAMETER_NAME: run_id})
        result = RunResult(run_id, root(settings) / "logs" / run_id)
        result.logs.mkdir(parents=True)
        (result.logs / "pipeline.pbtxt").write_text(str(pipeline))
        (result.logs / "settings.json").write_text(json.dumps(settings.dump(), indent=2))
        console.print(f"Run {run_id} of {settings.name}. Logs: {result.logs}", highlight=False)
        _walk(pipeline, settings, console, result)
    result.seconds = time.monotonic() - started
    return result


@contextlib.contextmanager
def _hold(output_dir: Path) -> Iterator[None]:
    """One run at a time for an output_dir; the lock dies with its holder."""
    try:
        output_dir.mkdir(parents=True, exist_ok=True)
        lock = (output_dir / ".lock").open("a+")
    except OSError as error:
        raise SettingsError(
            f"output_dir cannot be written to: {error.strerror}.",
            where="output_dir",
            received=output_dir,
            fix="Choose a folder that you may write to: --set output_dir=/some/where",
        ) from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.seek(0)
            raise RunError(
                "Another run is using this output_dir.",
                where=str(output_dir),
                received=lock.read().strip() or None,
                fix="Wait until it ends, or give this run an output_dir of its own.",
            ) from error
        lock.truncate(0)
        lock.write(f"process {os.getpid()} since {time.strftime('%Y-%m-%d %H:%M:%S')}\n")
        lock.flush()
        yield


def _walk(pipeline: pipeline_pb2.Pipeline, settings: Settings, console: Console, result: RunResult) -> None:
    waiting = {node.pipeline_node.node_info.id: set(node.pipeline_node.upstream_nodes) for node in pipeline.nodes}
    running: dict[str, Worker] = {}
    with Progress(console, waiting) as progress:
        try:
            while waiting or running:
                for node_id in [n for n, upstream in waiting.items() if upstream <= result.outcomes.keys()]:
                    if len(running) < settings.runner.parallel_nodes:
                        del waiting[node_id]
                        running[node_id] = Worker(
                            node_id, result.logs / f"{node_id}.log", _work(pipeline, node_id, settings)
                        )
                        progress.set(node_id, "running")
                for node_id, worker in list(running.items()):
                    if worker.poll():
                        del running[node_id]
                        try:
                            outcome = NodeOutcome.from_dict(worker.result())
                        except ScalableTFError as error:
                            result.errors[node_id] = error
                            progress.set(node_id, "failed")
                        else:
                            result.outcomes[node_id] = outcome
                            progress.set(node_id, "cached" if outcome.state == "cached" else "complete")
                if not running and waiting and not any(u <= result.outcomes.keys() for u in waiting.values()):
                    result.not_run = list(waiting)
                    for node_id in waiting:
                        progress.set(node_id, "not run")
                    waiting = {}
                progress.refresh()
                time.sleep(0.02)
        finally:
            for worker in running.values():
                worker.stop()


def _work(pipeline: pipeline_pb2.Pipeline, node_id: str, settings: Settings) -> Callable[[], dict[str, object]]:
    def work() -> dict[str, object]:
        level = getattr(logging, settings.logging.level.upper())
        logging.basicConfig(level=level, force=True)
        absl_logging.set_verbosity(level)
        return run_node(pipeline, node_id, metadata_connection(settings), beam_pipeline(settings.engine)).to_dict()

    return work
