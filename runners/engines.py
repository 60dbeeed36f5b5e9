"""Where the Beam work inside a node executes.

An engine is a function that makes the Beam pipeline of an executor. The node entry point injects it, so the compiled
graph holds no Beam arguments: its cache keys do not depend on the engine, and TFX does not build a source distribution
for every executor (which it does as soon as it sees any argument).
"""

from __future__ import annotations

import json
import math
import socket
from collections.abc import Callable

import apache_beam as beam

from configs.engine import Engine, JobServer
from runners.crew import Crew
from runners.inline import InlineRunner
from runners.processors import processors
from runners.record_batches import batch_by_size
from schemas.errors import RunError

# Named in full: a bare DirectRunner may go looking for a Prism binary to download.
_DIRECT = "apache_beam.runners.portability.fn_api_runner.FnApiRunner"

_MOST_PROCESSES = 8  # each takes memory, and most nodes have no use for so many

MakePipeline = Callable[[], beam.Pipeline]


def beam_pipeline(engine: Engine, crew: Crew | None = None, name: str = "") -> MakePipeline:
    """The function that makes an executor's Beam pipeline on this engine.

    Args:
        engine: settings; one that needs a job server names its address.
        crew: processes that the inline engine may use, from `crew_of`.
        name: of the jobs, where the engine shows one.
    """
    server = engine.job_server
    if server is not None:
        return lambda: _batched(
            beam.Pipeline(argv=portable_arguments(_answering(server, engine.kind), engine.kind, name))
        )
    runners: dict[str, Callable[[], object]] = {
        "direct": lambda: _DIRECT,
        "inline": lambda: InlineRunner(crew=crew),
        "auto": lambda: InlineRunner(engine.inline_max_bytes, crew),
    }
    runner = runners[engine.kind]
    return lambda: _batched(beam.Pipeline(runner=runner(), argv=[]))


def _batched(pipeline: beam.Pipeline) -> beam.Pipeline:
    batch_by_size()
    return pipeline


def _answering(server: JobServer, kind: str) -> JobServer:
    """The server itself, once something listens at its address."""
    host, _, port = (server.address or ":0").rpartition(":")
    try:
        socket.create_connection((host, int(port)), server.timeout_seconds).close()
    except (OSError, OverflowError) as error:
        raise RunError(
            "The job server of the engine does not answer.",
            where=f"engine.{kind}.address",
            received=f"{server.address}: {error}",
            fix="Start it, or give the address of its job service, HOST:PORT; of one that this run started, "
            f"{kind}-job-server.log in the run's folder says more.",
        ) from error
    return server


def portable_arguments(server: JobServer, kind: str, name: str) -> list[str]:
    """Beam's arguments for a job server."""
    workers = server.workers
    environment = {
        "loopback": ["--environment_type=LOOPBACK"],
        "pool": ["--environment_type=EXTERNAL", f"--environment_config={workers.address}"],
        "process": ["--environment_type=PROCESS", f"--environment_config={json.dumps({'command': workers.command})}"],
        "container": ["--environment_type=DOCKER", f"--environment_config={workers.image}"],
    }[workers.kind]
    parallelism = server.parallelism or processors()
    more = {
        "flink": [f"--parallelism={parallelism}", "--execution_mode_for_batch=BATCH_FORCED"],
        "spark": [],
        "portable": [f"--parallelism={parallelism}"] if server.parallelism else [],
    }[kind]
    return [
        "--runner=PortableRunner",
        f"--job_endpoint={server.address}",
        f"--job_server_timeout={math.ceil(server.timeout_seconds)}",
        *([f"--job_name={name}"] if name else []),
        *environment,
        *more,
        *(f"--{key}={value}" for key, value in server.options.items()),
    ]


def crew_of(engine: Engine) -> Crew:
    """Processes for one node, to be made before it runs an operation of TensorFlow and before it opens the store."""
    processes = engine.processes or min(processors(), _MOST_PROCESSES)
    return Crew(processes - 1 if engine.kind in ("auto", "inline") else 0)
