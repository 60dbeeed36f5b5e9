"""Which certificate it is that a TLS connection fails for, by a real server's two ports."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from schemas.errors import ServingError
from serving.client.client_tls import ClientTls
from serving.client.grpc_client import GrpcClient
from serving.client.other_port import other_port
from serving.client.rest_client import RestClient
from serving.model_server import ModelServer, ServerOptions
from serving.server.server_tls import ServerTls
from tests.certificates import Authority, Certificate, ssl_config

ALERT = " (alert unknown ca)"
CLIENTS, SERVERS = Authority("clients"), Authority("servers")


def _file(folder: Path, authority: Authority) -> Path:
    path = folder / "ca.pem"
    path.write_text(authority.certificate)
    return path


def _tls(folder: Path, authority: Authority, shown: Certificate | None = None) -> ClientTls:
    files = shown.write(folder / "shown") if shown else ()
    return ClientTls(_file(folder, authority), *files)


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine's speed decides nothing here."""
    monkeypatch.setattr("serving.client.other_port._SECONDS", 60.0)


Serving = Callable[[Certificate], ModelServer]


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """Starts servers, which ask for certificates of CLIENTS."""
    servers: list[ModelServer] = []

    def start(shown: Certificate) -> ModelServer:
        file = tmp_path_factory.mktemp("tls") / "ssl.config"
        file.write_text(ssl_config(shown, CLIENTS))
        servers.append(ModelServer(ServerOptions(models=(), grpc_port=0, rest_port=0, tls=ServerTls(file))))
        servers[-1].start()
        return servers[-1]

    yield start
    for server in servers:
        server.stop(0.0)


@pytest.fixture(scope="module")
def server(serving: Serving) -> ModelServer:
    return serving(SERVERS.sign("server"))


def _told(server: ModelServer, tls: ClientTls) -> str:
    """What clients of both protocols say to do, which is the same."""
    grpc, rest = f"grpcs://127.0.0.1:{server.grpc_port}", f"https://127.0.0.1:{server.rest_port}"
    fixes = set()
    for client in (GrpcClient(grpc, "taxi", tls=tls, retries=0), RestClient(rest, "taxi", tls=tls, retries=0)):
        with client, pytest.raises(ServingError, match="does not answer") as raised:
            client.status()
        fixes.add(str(raised.value.fix).replace(ALERT, ""))  # gRPC sends none
    (fix,) = fixes
    return fix


def test_no_certificate_is_shown(tmp_path: Path, server: ModelServer) -> None:
    told = _told(server, _tls(tmp_path, SERVERS))
    assert told.startswith("The server asks for a certificate, and none is shown. Give --tls-cert and --tls-key")


def test_a_certificate_of_another_authority_is_shown(tmp_path: Path, server: ModelServer) -> None:
    tls = _tls(tmp_path, SERVERS, Authority("others").sign("client"))
    told = _told(server, tls)
    assert ALERT in other_port(f"https://127.0.0.1:{server.rest_port}", "REST", tls)
    assert told.startswith(f"The server does not take the certificate of {tmp_path}/shown/certificate.pem")
    assert "`custom_ca`" in told


def test_a_certificate_that_has_ended_is_shown(tmp_path: Path, server: ModelServer) -> None:
    told = _told(server, _tls(tmp_path, SERVERS, CLIENTS.sign("client", days=(-2, -1))))
    assert told.startswith(f"The server does not take the certificate of {tmp_path}/shown/certificate.pem, of which ")
    assert "one has ended, on " in told


def test_another_authority_signed_the_server(tmp_path: Path, server: ModelServer) -> None:
    told = _told(server, _tls(tmp_path, CLIENTS, CLIENTS.sign("client")))
    assert told.startswith(f"The server's certificate is not of an authority in {tmp_path}/ca.pem (")
    assert "--tls-ca" in told
    assert "that the libraries bring" in _told(server, ClientTls())


def test_the_server_is_called_otherwise(tmp_path: Path, serving: Serving) -> None:
    told = _told(serving(SERVERS.sign("server", host="serving-1")), _tls(tmp_path, SERVERS, CLIENTS.sign("client")))
    assert told.startswith("The server's certificate is not for 127.0.0.1, but for serving-1. ")


def test_the_servers_certificate_has_ended(tmp_path: Path, serving: Serving) -> None:
    told = _told(serving(SERVERS.sign("server", days=(-2, -1))), _tls(tmp_path, SERVERS, CLIENTS.sign("client")))
    assert told.startswith("The server's certificate, or one that it stands on, is not valid now (certificate has exp")


def test_a_client_that_was_answered_tells_it_too(tmp_path: Path, server: ModelServer) -> None:
    address = f"grpcs://127.0.0.1:{server.grpc_port}"
    with GrpcClient(address, "taxi", tls=_tls(tmp_path, SERVERS), retries=0) as client:
        client._known = {}
        with pytest.raises(ServingError, match="none is shown"):
            client.status()


def _told_by_tls_13(folder: Path, shown: Certificate, tls: ClientTls) -> str:
    """What a client says to do about a server that has TLS 1.3 alone."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version, context.verify_mode = ssl.TLSVersion.TLSv1_3, ssl.CERT_REQUIRED
    context.load_cert_chain(*shown.write(folder / "server"))
    context.load_verify_locations(cadata=CLIENTS.certificate)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=_answer, args=(listening, context), daemon=True)
        thread.start()
        told = other_port(f"https://127.0.0.1:{listening.getsockname()[1]}", "REST", tls)
        listening.shutdown(socket.SHUT_RDWR)
        thread.join()
    return told


@pytest.mark.parametrize("shows", [False, True])
def test_a_server_of_tls_13_alone(tmp_path: Path, shows: bool) -> None:
    tls = _tls(tmp_path, SERVERS, CLIENTS.sign("client") if shows else None)
    assert ("none is shown" in _told_by_tls_13(tmp_path, SERVERS.sign("server"), tls)) is not shows


def test_a_server_of_tls_13_alone_that_is_called_otherwise(tmp_path: Path) -> None:
    tls = _tls(tmp_path, SERVERS, CLIENTS.sign("client"))
    told = _told_by_tls_13(tmp_path, SERVERS.sign("server", host="serving-1"), tls)
    assert told.startswith("The server's certificate is not for 127.0.0.1, but for serving-1. ")


def _answer(listening: socket.socket, context: ssl.SSLContext) -> None:
    while True:
        try:
            connection, _ = listening.accept()
        except OSError:
            return
        try:
            with connection, context.wrap_socket(connection, server_side=True) as secure:
                secure.recv(100)
                secure.sendall(b"\x15")
        except OSError:
            pass
