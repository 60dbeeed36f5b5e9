"""Labels on our own model server, which a client asks all the time: no request ever fails, whatever is moved."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import grpc
import pytest
import tensorflow as tf
from tensorflow_serving.apis.predict_pb2 import PredictRequest
from tensorflow_serving.apis.prediction_service_pb2_grpc import PredictionServiceStub

from serving.blessing import Blessing
from serving.labels import Labels, Request
from serving.release import Provenance
from serving.releases import ReleaseStore
from tests.integration.conftest import RunAll
from tests.tiny_models import half_plus

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of three versions; the third one predicts something else."""
    folder = tmp_path_factory.mktemp("made")
    for version, plus in ((1, 2.0), (2, 2.0), (3, 100.0)):
        source = half_plus(folder / f"model-{version}", plus)
        provenance = Provenance(pipeline="taxi", run_id="run", spans=(version,), blessing=Blessing(blessed=True))
        ReleaseStore(folder / "releases", "taxi").publish(source, provenance)
    return folder / "releases"


@pytest.fixture(scope="module")
def address(made: Path) -> Iterator[str]:
    """A model server that was started on the folder and knows of no labels."""
    command = [sys.executable, "-m", "runners.cli", "serve", "--model", f"taxi={made / 'taxi'}", "--grpc-port", "0"]
    command += ["--rest-port", "0"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            yield next(found[1] for line in server.stdout if (found := re.match(r"gRPC: (\S+)", line)))
        finally:
            server.terminate()


@dataclass(eq=False)  # threads are kept by identity
class Client(threading.Thread):
    """Asks for `stable` until it is stopped."""

    address: str
    versions: list[int] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()
        self._stopped = threading.Event()

    def run(self) -> None:
        request = PredictRequest(inputs={"x": tf.make_tensor_proto([[1.0]])})
        request.model_spec.name, request.model_spec.version_label = "taxi", "stable"
        with grpc.insecure_channel(self.address) as channel:
            stub = PredictionServiceStub(channel)
            while not self._stopped.is_set():
                try:
                    version = stub.Predict(request, timeout=30).model_spec.version.value
                    if version not in self.versions[-1:]:
                        self.versions.append(version)
                except grpc.RpcError as error:
                    self.errors.append(f"{error.code()}: {error.details()}")

    def __enter__(self) -> Client:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self.join()


def test_moves_fail_no_request_and_a_canary_is_judged_on_real_answers(
    made: Path, address: str, run_all: RunAll, tmp_path: Path
) -> None:
    labels, by = Labels(made, "taxi"), Request("ann", "vm", servers=(address,))
    labels.promote(1, by)
    requests = tmp_path / "requests.jsonl"
    requests.write_text("".join(json.dumps({"instances": [{"x": [x / 10]}]}) + "\n" for x in range(50)))
    options = ["--releases", str(made), "--model", "taxi", "--server", address, "--requests", str(requests)]
    limits = ["--percent", "50", "--minimum-requests", "300", "--latency-increase", "30"]

    def watched(version: int) -> list[str]:
        return ["release", "canary", str(version), "--watch", *options, *limits]

    with Client(address) as client:
        ended = run_all({"bad": watched(3), "good": watched(2)})
        labels.rollback(by)
    assert (ended["bad"].code, ended["good"].code) == (5, 0)
    assert "roll back: stability index of serving_default/y" in ended["bad"].stderr
    moves = [(entry.label, entry.before, entry.after) for entry in labels.log.entries()]
    assert moves == [
        ("stable", None, 1),
        ("canary", None, 3),
        ("canary", 3, 1),
        ("canary", 1, 2),
        ("stable", 1, 2),
        ("stable", 2, 1),
    ]
    assert client.errors == []
    assert client.versions == [1, 2, 1]
