"""Canaries on live traffic: our model server in a process of its own, clients that ask all the time, the command."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
import urllib.request
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import grpc
import pytest
import tensorflow as tf
from tensorflow_serving.apis.predict_pb2 import PredictRequest
from tensorflow_serving.apis.prediction_service_pb2_grpc import PredictionServiceStub
from tensorflow_serving.config.model_server_config_pb2 import ModelServerConfig

from schemas.errors import ReleaseError
from serving.blessing import Blessing
from serving.client.rest_client import RestClient
from serving.labels import Labels, Request
from serving.release import Provenance
from serving.releases import ReleaseStore
from serving.remote_server import RemoteServer
from serving.traffic_split import TrafficSplit, read_split
from tests.integration.conftest import RunAll
from tests.tiny_models import half_plus, half_plus_two_but

ROOT = Path(__file__).parents[2]
STABLE, SHIFTED, FAILING, SLOW, GOOD = 1, 2, 3, 4, 5


@dataclass(frozen=True)
class Served:
    """The released versions, and a server of them that knows of no labels."""

    root: Path
    grpc: str
    rest: str


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("made")
    models = [
        half_plus(folder / "stable", 2.0),
        half_plus(folder / "shifted", 3.0),
        half_plus_two_but(folder / "failing", most=4.0),
        half_plus_two_but(folder / "slow", sleep_micros=20_000),
        half_plus_two_but(folder / "good"),
    ]
    for number, source in enumerate(models):
        provenance = Provenance(pipeline="taxi", run_id="run", spans=(number,), blessing=Blessing(blessed=True))
        ReleaseStore(folder / "releases", "taxi").publish(source, provenance)
    with server(folder / "releases") as (grpc_address, url):
        yield Served(folder / "releases", grpc_address, url)


@contextmanager
def server(root: Path) -> Iterator[tuple[str, str]]:
    """Its addresses, gRPC and REST."""
    command = [sys.executable, "-m", "runners.cli", "serve", "--model", f"taxi={root / 'taxi'}"]
    command += ["--grpc-port", "0", "--rest-port", "0", "--poll-seconds", "0.2"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            found = [re.match(r"(?:gRPC|REST): (\S+)", line) for line in (next(process.stdout) for _ in range(2))]
            address, url = (one[1] for one in found if one)
            yield address, url
        finally:
            process.terminate()


@dataclass(eq=False)  # threads are kept by identity
class Client(threading.Thread):
    """Asks servers in turn by gRPC, each for its label, x from 0 to 4.9, until it is stopped."""

    servers: Sequence[tuple[str, str]]
    versions: Counter[int] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        super().__init__()
        self._stopped = threading.Event()

    def run(self) -> None:
        number = 0
        with ExitStack() as channels:
            stubs = [
                (PredictionServiceStub(channels.enter_context(grpc.insecure_channel(address))), label)
                for address, label in self.servers
            ]
            while not self._stopped.is_set():
                number += 1
                request = PredictRequest(inputs={"x": tf.make_tensor_proto([[number % 50 / 10]])})
                stub, request.model_spec.version_label = stubs[number % len(stubs)]
                request.model_spec.name = "taxi"
                try:
                    self.versions[stub.Predict(request, timeout=30).model_spec.version.value] += 1
                except grpc.RpcError as error:
                    self.errors[error.details()] += 1

    def __enter__(self) -> Client:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self.join()


def test_live_requests_are_split_and_each_rule_decides_on_what_clients_got(served: Served, run_all: RunAll) -> None:
    labels = Labels(served.root, "taxi")
    labels.promote(STABLE, Request("ann", "vm", servers=(served.grpc,)))

    def watched(version: int, *options: str) -> list[str]:
        command = ["release", "canary", str(version), "--percent", "20", "--watch", "--live", served.rest]
        return [*command, "--server", served.grpc, "--releases", str(served.root), "--model", "taxi", *options]

    lenient = ["--latency-increase", "30", "--minimum-requests", "100"]
    with Client([(served.grpc, "stable")]) as client:
        ended = run_all(
            {
                "shifted": watched(SHIFTED, *lenient),
                "failing": watched(FAILING, *lenient),
                "slow": watched(
                    SLOW, "--latency-increase", "0.01", "--latency-quantile", "0.5", "--minimum-requests", "50"
                ),
                "good": watched(GOOD, *lenient),
            }
        )
    said = {name: one.stderr for name, one in ended.items()}
    assert {name: one.code for name, one in ended.items()} == {"shifted": 5, "failing": 5, "slow": 5, "good": 0}, ended
    assert "roll back: stability index of serving_default/y" in said["shifted"]
    assert re.search(r"roll back: \d+ of \d+ requests failed, of stable's 0 of \d+", said["failing"])
    assert "roll back: p50 of latency" in said["slow"]
    assert re.search(
        "promote: error rate 0, stable 0; p99 of latency .*; stability index of serving_default/y", said["good"]
    )
    # 100 answers of the canary and more: by chance beyond 10 and 30 % once in a million.
    parts = [re.findall(r"requests, (\S+) % canary", said[name])[-1] for name in ("shifted", "good")]
    assert all(10 < float(part) < 30 for part in parts), parts

    # What clients got is what was decided on: only one version failed, and they never named another than stable.
    assert set(client.versions) == {STABLE, SHIFTED, FAILING, SLOW, GOOD}
    assert client.errors.total() > 0
    assert all("x is too large" in error for error in client.errors)
    assert labels.current() == {"stable": GOOD, "canary": GOOD}
    assert read_split(served.root / "taxi") == TrafficSplit.nothing(GOOD)


def test_requests_without_label_are_split_and_those_with_a_version_are_not(served: Served, run_all: RunAll) -> None:
    labels, by = Labels(served.root, "taxi"), Request("ann", "vm", servers=(served.grpc,))
    labels.promote(STABLE, by)
    labels.canary(SHIFTED, by, 50.0)

    def ask(**of: int | str) -> set[float]:
        with RestClient(served.rest, "taxi", **of) as client:  # type: ignore[arg-type]
            return {client.predict({"x": [[0.0]]}).outputs["y"].item() for _ in range(40)}

    assert ask() == ask(label="stable") == {2.0, 3.0}  # half of 40: not both once in 10 ** 11
    assert (ask(label="canary"), ask(version=STABLE)) == ({3.0}, {2.0})
    with urllib.request.urlopen(f"{served.rest}/monitoring/canary") as answer:
        seen = json.load(answer)["models"]["taxi"]["seen"]
    assert sum(one["requests"] for one in seen.values()) == 120
    with urllib.request.urlopen(f"{served.rest}/monitoring/prometheus/metrics") as answer:
        page = answer.read().decode()
    labelled = f'{{model_name="taxi",version="{SHIFTED}",status="OK"}} {seen[str(SHIFTED)]["requests"]}\n'
    assert f":scalable_tf:serving:canary_request_count{labelled}" in page

    labels.end_canary(by)
    assert ask() == ask(label="stable") == ask(label="canary") == {2.0}


def test_requests_without_label_never_get_a_version_that_is_loaded_and_not_labelled(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    labels, by = Labels(served.root, "taxi"), Request("ann", "vm", servers=(served.grpc,))
    labels.promote(STABLE, by)
    reload, refuses = RemoteServer.reload, False
    seen: list[set[float]] = []

    def ask() -> set[float]:
        with RestClient(served.rest, "taxi") as client:
            return {client.predict({"x": [[0.0]]}).outputs["y"].item() for _ in range(5)}

    def reload_and_ask(self: RemoteServer, config: ModelServerConfig) -> None:
        (entry,) = config.model_config_list.config
        if refuses and len(entry.model_version_policy.specific.versions) == 1:
            raise ReleaseError("It is gone.", where=self.address, received="nothing")
        reload(self, config)
        seen.append(ask())

    monkeypatch.setattr(RemoteServer, "reload", reload_and_ask)
    labels.canary(SHIFTED, by, 0.0)
    labels.end_canary(by)
    labels.canary(SHIFTED, by, 0.0)
    refuses = True
    assert len(labels.end_canary(by).notes) == 1
    seen.append(ask())
    refuses = False
    labels.promote(SHIFTED, by)
    labels.rollback(by)
    # Loaded and labelled for each canary; those two and unloaded for its end, of which the last failed.
    assert seen[:10] == [{2.0}] * 10
    # After that loaded, labelled; and the rollback is loaded, labelled, unloaded.
    assert seen[10:] == [{2.0}, {3.0}, {3.0}, {2.0}, {2.0}]


def test_a_canary_with_servers_of_its_own_is_compared_by_the_metrics_of_both(served: Served, run_all: RunAll) -> None:
    labels = Labels(served.root, "taxi")
    with server(served.root) as (canary_grpc, canary_rest):
        by = Request("ann", "vm", servers=(served.grpc, canary_grpc))
        labels.promote(STABLE, by)
        # A canary from before has the label, so that clients may ask for it already.
        labels.canary(GOOD, by, 0.0)
        command = ["release", "canary", str(FAILING), "--watch", "--live", served.rest, "--canary-live", canary_rest]
        command += ["--server", served.grpc, "--server", canary_grpc, "--releases", str(served.root), "--model", "taxi"]
        # Which is in front of the servers: every fourth request is for the canary.
        with Client([(served.grpc, "stable")] * 3 + [(canary_grpc, "canary")]):
            (ended,) = run_all({"failing": command}).values()
    assert ended.code == 5, ended
    assert re.search(r"roll back: \d+ of \d+ requests failed, of stable's 0 of \d+", ended.stderr)
    assert labels.current() == {"stable": STABLE, "canary": STABLE}
