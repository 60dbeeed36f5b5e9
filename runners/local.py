"""The local runner: walks the compiled graph on this machine, each node in a worker process of its own."""

from __future__ import annotations

import contextlib
import fcntl
import json
import logging
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from absl import logging as absl_logging
from google.protobuf import text_format
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
from runners.walk import walk
from schemas.errors import RunError, ScalableTFError, SettingsError

PIPELINE_FILE = "pipeline.pbtxt"
SETTINGS_FILE = "settings.json"


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
        RunError: another run holds output_dir, or its metadata store is gone.
    """
    started = time.monotonic()
    with _hold(root(settings)):
        _check_artifacts(settings)
        pipeline = compile_pipeline(settings, force_bless=force_bless)
        run_id = time.strftime("%Y%m%dT%H%M%S") + f"-{os.getpid()}"
        substitute_runtime_parameter(pipeline, {constants.PIPELINE_RUN_ID_PARAMETER_NAME: run_id})
        result = RunResult(run_id, root(settings) / "logs" / run_id)
        result.logs.mkdir(parents=True)
        (result.logs / PIPELINE_FILE).write_text(text_format.MessageToString(pipeline))
        (result.logs / SETTINGS_FILE).write_text(json.dumps(settings.dump(), indent=2))
        console.print(f"Run {run_id} of {settings.name}. Logs: {result.logs}", markup=False, highlight=False)
        upstream = {node.pipeline_node.node_info.id: node.pipeline_node.upstream_nodes for node in pipeline.nodes}
        with Progress(console, upstream) as progress:
            done = walk(
                upstream,
                lambda node_id: _node(pipeline, node_id, settings),
                logs=result.logs,
                parallel=settings.runner.parallel_nodes,
                progress=progress,
            )
    result.outcomes = {node_id: NodeOutcome.from_dict(given) for node_id, given in done.results.items()}
    result.errors, result.not_run = done.errors, done.not_run
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


def _check_artifacts(settings: Settings) -> None:
    """Refuses artifacts of a store that is gone: its execution numbers would be used again, and files would mix."""
    artifacts, store = root(settings) / "artifacts", root(settings) / "metadata" / "metadata.sqlite"
    if settings.metadata.url is None and not store.exists() and artifacts.is_dir() and any(artifacts.iterdir()):
        raise RunError(
            "There are artifacts, but the metadata store that knows them is gone.",
            where=str(artifacts),
            received=f"no {store}",
            fix="Put the store back, or move the artifacts away; releases are not affected.",
        )


def run_one_node(logs: Path, node_id: str) -> NodeOutcome:
    """Runs one node of an existing run again, in this process: what other orchestrators do for each of their tasks.

    Args:
        logs: the run's folder, `<output_dir>/logs/<run id>`, with its compiled pipeline and its settings.
        node_id: which node; those before it must have run.

    Raises:
        RunError: the folder is not that of a run, there is no such node, or its inputs are not there.
    """
    try:
        pipeline = text_format.Parse((logs / PIPELINE_FILE).read_text(), pipeline_pb2.Pipeline())
        settings = Settings.model_validate_json((logs / SETTINGS_FILE).read_text())
    except (OSError, ValueError, text_format.ParseError) as error:
        raise RunError(
            "This is not the folder of a run.",
            where=str(logs),
            received=error,
            fix="Give <output_dir>/logs/<run id>, as printed when the run started.",
        ) from error
    return run_node(pipeline, node_id, metadata_connection(settings), beam_pipeline(settings.engine))


def _node(pipeline: pipeline_pb2.Pipeline, node_id: str, settings: Settings) -> dict[str, Any]:
    """The work of one worker."""
    level = getattr(logging, settings.logging.level.upper())
    logging.basicConfig(level=level, force=True)
    absl_logging.set_verbosity(level)
    return run_node(pipeline, node_id, metadata_connection(settings), beam_pipeline(settings.engine)).to_dict()
