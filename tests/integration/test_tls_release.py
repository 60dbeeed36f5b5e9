"""`scalable-tf release` against a model server that shows certificates and asks for them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from serving.blessing import Blessing
from serving.client.grpc_client import GrpcClient
from serving.labels import Labels
from serving.release import Provenance
from serving.releases import ReleaseStore
from tests.integration.command_server import CommandServer
from tests.integration.serve_command import port, serve
from tests.integration.tls_trust import Trust
from tests.tiny_models import half_plus

pytestmark = pytest.mark.slow


@pytest.fixture
def commands(tmp_path: Path) -> Iterator[CommandServer]:
    modules = ["serving.model_server", "serving.client.grpc_client", "serving.remote_server", "httpx"]
    server = CommandServer(tmp_path, modules)
    yield server
    server.close()


@contextmanager
def _asking(address: str, trust: Trust) -> Iterator[list[float]]:
    """A client that asks for `stable` all the time; its answers."""
    answers: list[float] = []
    ending = threading.Event()

    def ask() -> None:
        with GrpcClient(address, "half", label="stable", tls=trust.tls) as client:
            while not ending.is_set():
                answers.append(client.predict({"x": [0.0]}).outputs["y"].item())

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield answers
    finally:
        ending.set()
        thread.join()


def test_a_canary_is_watched_and_rolled_back(commands: CommandServer, tmp_path: Path) -> None:
    releases, trust = tmp_path / "releases", Trust(tmp_path)
    for plus in (2.0, 3.0):
        provenance = Provenance(pipeline="half", run_id="run", spans=(1,), blessing=Blessing(blessed=True))
        ReleaseStore(releases, "half").publish(half_plus(tmp_path / str(plus), plus), provenance)
    with serve(commands, "--model", f"half={releases / 'half'}", f"--ssl-config={trust.config}") as server:
        secure, rest = f"grpcs://127.0.0.1:{port(server, 'gRPC')}", f"https://127.0.0.1:{port(server, 'REST')}"
        where = ["--releases", str(releases), "--model", "half", "--server", secure]
        refused = commands.run(["release", "promote", "1", *where, trust.files[0]])
        assert refused.wait() == 1
        assert "The server asks for a certificate, and none is shown" in refused.text
        promoted = commands.run(["release", "promote", "1", *where, *trust.files])
        assert promoted.wait() == 0, promoted.text
        with _asking(secure, trust) as answers:
            watch = [
                "--percent",
                "50",
                "--watch",
                "--live",
                rest,
                "--minimum-requests",
                "50",
                "--latency-increase",
                "30",
            ]
            watched = commands.run(["release", "canary", "2", *watch, *where, *trust.files])
            assert watched.wait() == 5, watched.text
        assert "roll back: stability index of serving_default/y" in watched.text
        assert set(answers) == {2.0, 3.0}
    assert Labels(releases, "half").current()["stable"] == 1
