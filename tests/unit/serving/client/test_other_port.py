"""The port of the other protocol, by a real server's two ports."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from schemas.errors import ReleaseError, ServingError
from serving.asked_models import asked_models
from serving.client.client_tls import ClientTls
from serving.client.grpc_client import AsyncGrpcClient, GrpcClient
from serving.client.other_port import other_port
from serving.client.rest_client import AsyncRestClient, RestClient
from serving.live_traffic import LiveTraffic
from serving.model_server import ModelServer, ServerOptions
from serving.remote_server import RemoteServer
from serving.replay import Replay
from serving.scraped_traffic import ScrapedTraffic
from serving.server.server_tls import ServerTls
from tests.certificates import Authority, ssl_config

REST, GRPC = "This looks like the REST port", "This looks like the gRPC port"


@pytest.fixture(scope="module")
def server() -> Iterator[ModelServer]:
    server = ModelServer(ServerOptions(models=(), grpc_port=0, rest_port=0))
    server.start()
    yield server
    server.stop(0.0)


@pytest.fixture(scope="module")
def trusted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the SSLConfig of a server, and the certificate of its authority."""
    folder, authority = tmp_path_factory.mktemp("tls"), Authority("root")
    (folder / "ssl.config").write_text(ssl_config(authority.sign("server")))
    (folder / "ca.pem").write_text(authority.certificate)
    return folder


@pytest.fixture(scope="module")
def secure(trusted: Path) -> Iterator[ModelServer]:
    """One with TLS."""
    tls = ServerTls(trusted / "ssl.config")
    server = ModelServer(ServerOptions(models=(), grpc_port=0, rest_port=0, tls=tls))
    server.start()
    yield server
    server.stop(0.0)


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine's speed decides nothing here."""
    monkeypatch.setattr("serving.client.other_port._SECONDS", 60.0)


def test_what_speaks_the_other_protocol_is_told_and_nothing_else_is(server: ModelServer) -> None:
    grpc, rest = f"127.0.0.1:{server.grpc_port}", f"127.0.0.1:{server.rest_port}"
    assert other_port(rest, "gRPC") == f"{REST}: give the gRPC port of the server instead of {rest}."
    assert other_port(grpc, "REST") == f"{GRPC}: give the REST port of the server instead of {grpc}."
    assert other_port(grpc, "gRPC") == other_port(rest, "REST") == other_port("127.0.0.1:1", "gRPC") == ""
    assert other_port("127.0.0.1", "REST") == ""


def test_tls_is_told_where_it_is_and_where_it_is_not(server: ModelServer, secure: ModelServer) -> None:
    grpc, rest = f"127.0.0.1:{secure.grpc_port}", f"127.0.0.1:{secure.rest_port}"
    assert other_port(grpc, "gRPC") == f"What answers there speaks TLS: give grpcs://{grpc} instead."
    assert other_port(f"http://{rest}", "REST") == f"What answers there speaks TLS: give https://{rest} instead."
    assert other_port(f"grpcs://{rest}", "gRPC") == f"{REST}: give the gRPC port of the server instead of {rest}."
    assert "--tls-ca FILE" in other_port(f"grpcs://{grpc}", "gRPC")
    assert "--tls-ca FILE" in other_port(f"https://{rest}/", "REST")
    grpc, rest = f"127.0.0.1:{server.grpc_port}", f"127.0.0.1:{server.rest_port}"
    assert other_port(f"grpcs://{grpc}", "gRPC") == f"What answers there speaks without TLS: give {grpc} instead."
    assert (
        other_port(f"https://{rest}", "REST") == f"What answers there speaks without TLS: give http://{rest} instead."
    )
    assert other_port(f"https://{grpc}", "REST").startswith(GRPC)
    assert other_port("https://127.0.0.1:1", "REST") == ""


def test_clients_and_releases_tell_it(server: ModelServer) -> None:
    grpc, rest = f"127.0.0.1:{server.grpc_port}", f"127.0.0.1:{server.rest_port}"
    with GrpcClient(rest, "taxi", retries=0) as one, pytest.raises(ServingError, match=REST):
        one.metadata()
    with RestClient(f"http://{grpc}", "taxi", retries=0) as other, pytest.raises(ServingError, match=GRPC):
        other.metadata()
    with RemoteServer(rest, 5.0) as remote, pytest.raises(ReleaseError, match=REST):
        remote.serves("taxi")
    with Replay([rest], "taxi") as replay, pytest.raises(ReleaseError, match=REST):
        replay.signatures()
    with LiveTraffic([f"http://{grpc}"], "taxi") as live, pytest.raises(ReleaseError, match=GRPC):
        live.check()
    with ScrapedTraffic([f"http://{grpc}/"], [], "taxi") as scraped, pytest.raises(ReleaseError, match=GRPC):
        scraped.start()


def test_releases_ask_with_tls(secure: ModelServer, trusted: Path) -> None:
    grpc, rest = f"grpcs://127.0.0.1:{secure.grpc_port}", f"https://127.0.0.1:{secure.rest_port}"
    tls = ClientTls(trusted / "ca.pem")
    with RestClient(rest, "taxi", tls=tls) as client, pytest.raises(ServingError, match="Could not find any versions"):
        client.status()
    assert asked_models([rest], tls) == ("taxi",)
    assert asked_models([rest]) == ()
    with LiveTraffic([rest], "taxi", tls=tls) as live:
        live.check()
    with LiveTraffic([rest], "taxi") as live, pytest.raises(ReleaseError, match="--tls-ca"):
        live.check()
    with ScrapedTraffic([rest], [rest], "taxi", tls=tls) as scraped:
        scraped.start()
    with RemoteServer(grpc, 5.0, tls=tls) as remote:
        assert not remote.serves("taxi")
    with Replay([grpc], "taxi", tls) as replay, pytest.raises(ReleaseError, match="NOT_FOUND"):
        replay.signatures()


def test_clients_of_asyncio_tell_it(server: ModelServer) -> None:
    async def ask() -> None:
        async with AsyncGrpcClient(f"127.0.0.1:{server.rest_port}", "taxi", retries=0) as one:
            with pytest.raises(ServingError, match=REST):
                await one.metadata()
        async with AsyncRestClient(f"http://127.0.0.1:{server.grpc_port}", "taxi", retries=0) as other:
            with pytest.raises(ServingError, match=GRPC):
                await other.metadata()

    asyncio.run(ask())
