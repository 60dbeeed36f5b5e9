"""Where the Beam work inside a node executes.

An engine is a function that makes the Beam pipeline of an executor. The node entry point injects it, so the compiled
graph holds no Beam arguments: its cache keys do not depend on the engine, and TFX does not build a source distribution
for every executor (which it does as soon as it sees any argument).
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import sys
import tempfile
from collections.abc import Callable, Iterator
from types import TracebackType

import apache_beam as beam
import grpc
from apache_beam.portability.api import beam_job_api_pb2, beam_job_api_pb2_grpc

from configs.engine import Dataflow, Engine, JobServer, SdkWorkers
from runners.crew import Crew
from runners.engine_failure import engine_failure
from runners.inline import InlineRunner
from runners.processors import processors
from runners.record_batches import batch_by_size
from schemas.errors import RunError, from_traceback

# Named in full: a bare DirectRunner may go looking for a Prism binary to download.
_DIRECT = "apache_beam.runners.portability.fn_api_runner.FnApiRunner"

_MOST_PROCESSES = 8  # each takes memory, and most nodes have no use for so many

# With job servers whose streams begin before the job does (Prism, Beam's own) Beam's timeout is one of the whole job.
_LONGEST_JOB_SECONDS = 10**7

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
        return lambda: _batched(_ServedPipeline(server, engine.kind, name))
    if engine.kind == "dataflow":
        return lambda: _batched(beam.Pipeline(argv=dataflow_arguments(engine.dataflow, name)))
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


class _ServedPipeline(beam.Pipeline):
    """A pipeline that a job server runs, which may be gone at any time.

    Args:
        server: with its address.
        kind: of the engine.
        name: of the job.

    Raises:
        RunError: no job server answers at the address.
    """

    def __init__(self, server: JobServer, kind: str, name: str) -> None:
        self._address, self._kind = server.address or "", kind
        with grpc.insecure_channel(self._address) as channel:
            jobs = beam_job_api_pb2_grpc.JobServiceStub(channel)
            try:
                jobs.DescribePipelineOptions(
                    beam_job_api_pb2.DescribePipelineOptionsRequest(), timeout=server.timeout_seconds
                )
            except grpc.RpcError as error:
                raise self._gone("The job server of the engine does not answer.", error) from error
        super().__init__(argv=portable_arguments(server, kind, name))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            with _temporary_files():
                super().__exit__(kind, error, traceback)
        except grpc.RpcError as lost:
            raise self._gone("The job server of the engine was lost in the middle of a job.", lost) from lost
        except RuntimeError as failed:  # what Beam makes of a job that failed, with the engine's text
            known = engine_failure(self._kind, str(failed))
            if known is None or from_traceback(str(failed)) is not None:  # what a worker says is told by whoever asks
                raise
            raise known from failed

    def _gone(self, what: str, error: grpc.RpcError) -> RunError:
        return RunError(
            what,
            where=f"engine.{self._kind}.address",
            received=f"{self._address}: {error.code().name}, {error.details()}",
            fix="The address is that of a job service, HOST:PORT: start it, and resume the run. One that the run had "
            f"started has its log in {self._kind}-job-server-* of the run's folder; the resumed run starts another.",
        )


@contextlib.contextmanager
def _temporary_files() -> Iterator[None]:
    """Gives temporary files a folder that goes at the end: Beam leaves there what it has staged for a job."""
    before = tempfile.tempdir
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        tempfile.tempdir = folder
        try:
            yield
        finally:
            tempfile.tempdir = before


def portable_arguments(server: JobServer, kind: str, name: str) -> list[str]:
    """Beam's arguments for a job server."""
    workers = server.workers
    environment = {
        "loopback": ["--environment_type=LOOPBACK"],
        "pool": ["--environment_type=EXTERNAL", f"--environment_config={workers.address}"],
        "process": ["--environment_type=PROCESS", f"--environment_config={_process(workers)}"],
        "container": ["--environment_type=DOCKER", f"--environment_config={workers.image}"],
    }[workers.kind]
    parallelism = server.parallelism or processors()
    more = {
        "flink": [f"--parallelism={parallelism}", "--execution_mode_for_batch=BATCH_FORCED"],
        "spark": [],
        "prism": [],
        "portable": [f"--parallelism={parallelism}"] if server.parallelism else [],
    }[kind]
    return [
        "--runner=PortableRunner",
        f"--job_endpoint={server.address}",
        f"--job_server_timeout={_LONGEST_JOB_SECONDS}",
        *([f"--job_name={name}"] if name else []),
        *environment,
        *more,
        *(f"--{key}={value}" for key, value in server.options.items()),
    ]


def dataflow_arguments(dataflow: Dataflow, name: str) -> list[str]:
    """Beam's arguments for Google Dataflow, which takes small letters, digits and dashes in the name of a job."""
    given = {
        "job_name": re.sub("[^a-z0-9]+", "-", name.lower()).strip("-"),
        "project": dataflow.project,
        "region": dataflow.region,
        "temp_location": dataflow.temp_location,
        "sdk_container_image": dataflow.image,
        "service_account_email": dataflow.service_account,
        "subnetwork": dataflow.subnetwork,
        "machine_type": dataflow.machine_type,
        "max_num_workers": dataflow.max_workers,
        **dataflow.options,
    }
    return ["--runner=DataflowRunner", "--sdk_location=container"] + [
        f"--{key}={value}" for key, value in given.items() if value
    ]


def _process(workers: SdkWorkers) -> str:
    """How an engine starts workers as processes: Beam's boot, without an environment of its own for each."""
    path = os.pathsep.join([os.path.dirname(sys.executable), os.defpath])
    environment = {"PATH": path, "RUN_PYTHON_SDK_IN_DEFAULT_ENVIRONMENT": "1", "TF_USE_LEGACY_KERAS": "1"}
    return json.dumps({"command": workers.command, "env": {**environment, **workers.environment}})


def crew_of(engine: Engine) -> Crew:
    """Processes for one node, to be made before it runs an operation of TensorFlow and before it opens the store."""
    processes = engine.processes or min(processors(), _MOST_PROCESSES)
    return Crew(processes - 1 if engine.kind in ("auto", "inline") else 0)
