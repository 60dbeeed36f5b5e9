from __future__ import annotations

import json
import os
import socket
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import apache_beam as beam
import grpc
import pytest
from apache_beam.options.pipeline_options import GoogleCloudOptions, PipelineOptions, WorkerOptions
from apache_beam.options.pipeline_options_validator import PipelineOptionsValidator
from apache_beam.portability.api import beam_job_api_pb2, beam_job_api_pb2_grpc
from apache_beam.runners.dataflow.dataflow_runner import DataflowRunner
from apache_beam.runners.portability.local_job_service import LocalJobServicer

from configs.engine import Engine
from runners.engines import beam_pipeline, crew_of, dataflow_arguments, portable_arguments
from schemas.errors import RunError


def arguments(kind: str, **server: Any) -> list[str]:
    engine = Engine.model_validate({"kind": kind, kind: {"address": "localhost:8099", **server}})
    assert engine.job_server is not None
    return portable_arguments(engine.job_server, kind, "taxi-Transform")


def served(address: str, seconds: float = 60.0) -> Engine:
    return Engine.model_validate({"kind": "portable", "portable": {"address": address, "timeout_seconds": seconds}})


@pytest.fixture
def port() -> Iterator[int]:
    """Of something that listens, and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_arguments_of_a_job_server() -> None:
    assert arguments("portable") == [
        "--runner=PortableRunner",
        "--job_endpoint=localhost:8099",
        "--job_server_timeout=10000000",
        "--job_name=taxi-Transform",
        "--environment_type=LOOPBACK",
    ]


def test_flink_works_on_bounded_data() -> None:
    assert arguments("flink", parallelism=3)[-2:] == ["--parallelism=3", "--execution_mode_for_batch=BATCH_FORCED"]


def test_spark_is_told_its_parallelism_by_its_master() -> None:
    assert arguments("spark", parallelism=3)[-1] == "--environment_type=LOOPBACK"


def test_more_options_come_last() -> None:
    assert arguments("flink", options={"max_bundle_size": "500"})[-1] == "--max_bundle_size=500"


@pytest.mark.parametrize(
    ("workers", "expected"),
    [
        ({"kind": "loopback"}, ["--environment_type=LOOPBACK"]),
        (
            {"kind": "pool", "address": "localhost:50000"},
            ["--environment_type=EXTERNAL", "--environment_config=localhost:50000"],
        ),
        (
            {"kind": "container", "image": "ours:1"},
            ["--environment_type=DOCKER", "--environment_config=ours:1"],
        ),
    ],
    ids=["loopback", "pool", "container"],
)
def test_arguments_of_workers(workers: dict[str, str], expected: list[str]) -> None:
    assert [one for one in arguments("portable", workers=workers) if one.startswith("--environment")] == expected


def test_worker_processes_find_this_python_unless_they_are_told_otherwise() -> None:
    workers = {"kind": "process", "command": "/opt/boot", "environment": {"A": "1"}}
    kind, config = (one for one in arguments("flink", workers=workers) if one.startswith("--environment"))
    assert kind == "--environment_type=PROCESS"
    process = json.loads(config.removeprefix("--environment_config="))
    assert (process["command"], process["env"]["A"]) == ("/opt/boot", "1")
    assert process["env"]["PATH"].split(":")[0] == os.path.dirname(sys.executable)
    assert '"PATH": "/b"' in arguments("flink", workers={**workers, "environment": {"PATH": "/b"}})[-3]


def test_beam_takes_the_arguments_of_dataflow(monkeypatch: pytest.MonkeyPatch) -> None:
    # Only a warning comes of it, after two minutes where there is no network.
    monkeypatch.setattr(GoogleCloudOptions, "_warn_if_soft_delete_policy_enabled", lambda *_: None, raising=False)
    given = {"mounted": True, "project": "trips", "region": "europe-west4", "temp_location": "gs://trips/tmp"}
    dataflow = {**given, "image": "eu.gcr.io/trips/ours:1", "max_workers": 200, "options": {"disk_size_gb": "50"}}
    engine = Engine.model_validate({"kind": "dataflow", "dataflow": dataflow})
    found = dataflow_arguments(engine.dataflow, "Taxi_fares-Transform")
    options = PipelineOptions(found)
    assert PipelineOptionsValidator(options, DataflowRunner()).validate() == []
    workers = options.view_as(WorkerOptions)
    assert (workers.max_num_workers, workers.disk_size_gb, workers.sdk_container_image) == (200, 50, dataflow["image"])
    assert options.view_as(GoogleCloudOptions).job_name == "taxi-fares-transform"


@pytest.mark.parametrize("kind", ["auto", "inline", "direct"])
def test_without_a_job_server_a_pipeline_is_run_here(kind: str) -> None:
    found: list[int] = []
    with beam_pipeline(Engine.model_validate({"kind": kind}))() as pipeline:
        total = pipeline | beam.Create([1, 2]) | beam.CombineGlobally(sum)
        total | beam.Map(lambda number: [number, found.append(number)][0]) | beam.combiners.Count.Globally()
    assert kind == "direct" or found == [3]


@pytest.mark.parametrize(("kind", "processes"), [("inline", 2), ("auto", 2), ("direct", 0), ("flink", 0)])
def test_only_inline_has_a_crew(kind: str, processes: int) -> None:
    engine = Engine.model_validate({"kind": kind, "processes": 3})
    with crew_of(engine) as crew:
        assert len(crew) == processes


def test_a_port_where_nothing_listens_is_an_error_at_once() -> None:
    with socket.socket() as bound:  # and does not listen
        bound.bind(("127.0.0.1", 0))
        free = bound.getsockname()[1]
        with pytest.raises(RunError, match="job server of the engine does not answer") as caught:
            beam_pipeline(served(f"127.0.0.1:{free}"))()
    assert caught.value.where == "engine.portable.address"
    assert str(caught.value.received).startswith(f"127.0.0.1:{free}: UNAVAILABLE, ")


def test_a_port_where_something_silent_listens_is_an_error(port: int) -> None:
    with pytest.raises(RunError, match="job server of the engine does not answer") as caught:
        beam_pipeline(served(f"127.0.0.1:{port}", 0.2))()
    assert str(caught.value.received).startswith(f"127.0.0.1:{port}: DEADLINE_EXCEEDED, ")


def test_a_server_of_another_kind_is_an_error() -> None:
    server = grpc.server(ThreadPoolExecutor(1))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        with pytest.raises(RunError, match="does not answer") as caught:
            beam_pipeline(served(f"127.0.0.1:{port}"))()
    finally:
        server.stop(None).wait()
    assert str(caught.value.received).startswith(f"127.0.0.1:{port}: UNIMPLEMENTED, ")


@pytest.mark.slow
def test_a_job_may_take_longer_than_the_job_server_to_answer() -> None:
    server = LocalJobServicer()
    port = server.start_grpc_server(0)
    try:
        with beam_pipeline(served(f"localhost:{port}", 4.0))() as pipeline:
            pipeline | beam.Create([5]) | beam.Map(lambda seconds: time.sleep(seconds))
    finally:
        server.stop()


class _Dying(beam_job_api_pb2_grpc.JobServiceServicer):
    """Answers, and takes no job."""

    def DescribePipelineOptions(self, request: Any, context: Any) -> Any:
        return beam_job_api_pb2.DescribePipelineOptionsResponse()

    def Prepare(self, request: Any, context: Any) -> Any:
        context.abort(grpc.StatusCode.UNAVAILABLE, "Socket closed")


@pytest.mark.slow
def test_a_job_server_that_is_lost_is_an_error() -> None:
    server = grpc.server(ThreadPoolExecutor(2))
    beam_job_api_pb2_grpc.add_JobServiceServicer_to_server(_Dying(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        with (
            pytest.raises(RunError, match="lost in the middle of a job") as caught,
            beam_pipeline(served(f"127.0.0.1:{port}"))() as pipeline,
        ):
            pipeline | beam.Create([1, 2])
    finally:
        server.stop(None).wait()
    assert caught.value.received == f"127.0.0.1:{port}: UNAVAILABLE, Socket closed"
