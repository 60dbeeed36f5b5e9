"""Clients that do not come through TLS, at a real server of REST."""

from __future__ import annotations

import logging
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from serving.client.client_tls import ClientTls
from serving.model_server import ModelServer, ServerOptions
from serving.rest.limits import RestLimits
from serving.server.server_tls import ServerTls
from tests.certificates import Authority, ssl_config

CLIENTS, SERVERS = Authority("clients"), Authority("servers")
PAGE = "/monitoring/prometheus/metrics"


def _started(folder: Path, limits: RestLimits | None = None) -> ModelServer:
    (folder / "ssl.config").write_text(ssl_config(SERVERS.sign("server"), CLIENTS))
    tls = ServerTls(folder / "ssl.config")
    options = ServerOptions(models=(), grpc_port=0, rest_port=0, rest_limits=limits or RestLimits(), tls=tls)
    server = ModelServer(options)
    server.start()
    return server


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ModelServer]:
    server = _started(tmp_path)
    yield server
    server.stop(0.0)


def test_who_says_nothing_is_waited_for_as_long_as_for_headers(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    server = _started(tmp_path, RestLimits(header_seconds=0.1))
    with socket.create_connection(("127.0.0.1", server.rest_port), 60.0) as connection:
        assert connection.recv(1) == b""
    assert server.stop(0.0)
    assert caplog.records == []


def test_the_end_waits_for_no_handshake(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    server = _started(tmp_path)
    with socket.create_connection(("127.0.0.1", server.rest_port), 60.0) as connection:
        connection.sendall(b"\x16\x03\x01")
        assert server.stop(0.0)
        assert connection.recv(1) == b""
    assert caplog.records == []


def _alert(server: ModelServer, context: ssl.SSLContext) -> str:
    """What the server answers to a handshake."""
    with socket.create_connection(("127.0.0.1", server.rest_port), 60.0) as connection:
        try:
            with context.wrap_socket(connection, server_hostname="localhost") as secure:
                secure.recv(1)
        except ssl.SSLError as error:
            return str(error.reason)
    return "none"


@pytest.mark.parametrize(
    ("version", "alert"),
    [("TLSv1_2", "SSLV3_ALERT_HANDSHAKE_FAILURE"), ("TLSv1_3", "TLSV13_ALERT_CERTIFICATE_REQUIRED")],
)
def test_both_sides_learn_why(
    tmp_path: Path, server: ModelServer, caplog: pytest.LogCaptureFixture, version: str, alert: str
) -> None:
    (tmp_path / "ca.pem").write_text(SERVERS.certificate)
    nameless, strange, trusted = (
        ClientTls(tmp_path / "ca.pem", *(authority.sign("client").write(tmp_path / name) if authority else ()))
        for name, authority in (("none", None), ("strange", Authority("others")), ("client", CLIENTS))
    )
    for tls in (nameless, strange, trusted):
        tls.http_context().maximum_version = ssl.TLSVersion[version]
    with caplog.at_level(logging.WARNING):
        assert _alert(server, nameless.http_context()) == alert
        assert _alert(server, strange.http_context()) == "TLSV1_ALERT_UNKNOWN_CA"
        # Who leaves in the middle, as probes of ports do, is not refused.
        socket.create_connection(("127.0.0.1", server.rest_port), 60.0).close()
        with socket.create_connection(("127.0.0.1", server.rest_port), 60.0) as connection:
            connection.sendall(b"GET / HTTP/1.1\r\n\r\n")
            while connection.recv(100):
                pass
        with httpx.Client(verify=trusted.http_context(), base_url=f"https://localhost:{server.rest_port}") as client:
            page = client.get(PAGE).text
    assert [record.getMessage() for record in caplog.records] == [
        "REST: TLS with 127.0.0.1 failed: it shows no certificate.",
        "REST: TLS with 127.0.0.1 failed: its certificate is not taken, unable to get local issuer certificate.",
        "REST: TLS with 127.0.0.1 failed: it speaks HTTP without TLS.",
    ]
    name = ":scalable_tf:serving:refused_handshakes"
    assert [line for line in page.splitlines() if line.startswith(name)] == [
        f'{name}{{entrypoint="REST",reason="{reason}"}} 1'
        for reason in ("CERTIFICATE_VERIFY_FAILED", "HTTP_REQUEST", "PEER_DID_NOT_RETURN_A_CERTIFICATE")
    ]


def test_a_request_that_comes_with_the_end_of_the_handshake_is_read_whole(tmp_path: Path, server: ModelServer) -> None:
    (tmp_path / "ca.pem").write_text(SERVERS.certificate)
    tls = ClientTls(tmp_path / "ca.pem", *CLIENTS.sign("client").write(tmp_path / "client"))
    body = b'{"instances": [' + b" " * (1 << 20) + b"]}"
    with httpx.Client(verify=tls.http_context(), base_url=f"https://localhost:{server.rest_port}") as client:
        answer = client.post("/v1/models/none:predict", content=body)
    assert answer.status_code == httpx.codes.NOT_FOUND
