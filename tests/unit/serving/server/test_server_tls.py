"""Certificates of a running server, by handshakes in memory."""

from __future__ import annotations

import contextlib
import logging
import os
import ssl
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from serving.client.client_tls import ClientTls
from serving.server.server_tls import ServerTls
from tests.certificates import Authority, Certificate, ssl_config


@pytest.fixture(scope="module")
def servers() -> Authority:
    return Authority("servers")


@pytest.fixture(scope="module")
def made(servers: Authority) -> Certificate:
    return servers.sign("server")


def _write(path: Path, text: str) -> None:
    """As another file, whatever the clock's steps are."""
    new = path.with_name("new")
    new.write_text(text)
    os.replace(new, path)


def _shake(
    server: ssl.SSLContext, client: ssl.SSLContext, session: ssl.SSLSession | None = None
) -> ssl.SSLSession | None:
    """Both sides' handshake; the session that the client could take up again.

    Raises:
        ssl.SSLError: one of them refuses the other.
    """
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    asked = server.wrap_bio(to_server, to_client, server_side=True)
    asking = client.wrap_bio(to_client, to_server, server_hostname="localhost", session=session)
    for _ in range(5):
        for side in (asking, asked):
            with contextlib.suppress(ssl.SSLWantReadError):
                side.do_handshake()
    for side in (asked, asking):
        side.write(b"x")
    assert (asking.read(1), asked.read(1)) == (b"x", b"x")
    assert not asking.session_reused or session is not None
    for side in (asking, asked):  # a session of a connection that was cut off cannot be taken up again
        with contextlib.suppress(ssl.SSLWantReadError):
            side.unwrap()
    return asking.session


@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
def test_who_is_not_trusted_any_more_is_refused_also_with_a_session(
    tmp_path: Path, servers: Authority, made: Certificate, version: str
) -> None:
    (tmp_path / "ca.pem").write_text(servers.certificate)
    clients, others, config = Authority("clients"), Authority("others"), tmp_path / "ssl.config"
    client = ClientTls(tmp_path / "ca.pem", *clients.sign("client").write(tmp_path / "client")).http_context()
    client.maximum_version = ssl.TLSVersion[version]
    _write(config, ssl_config(made, clients))
    server = ServerTls(config).http_context()
    session = _shake(server, client)
    _shake(server, client, session)
    _write(config, ssl_config(made, others))
    with pytest.raises(ssl.SSLError):
        _shake(server, client, session)


def test_what_cannot_be_used_changes_nothing_and_is_told_once(
    tmp_path: Path, servers: Authority, made: Certificate, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "ca.pem").write_text(servers.certificate)
    config, client = tmp_path / "ssl.config", ClientTls(tmp_path / "ca.pem").http_context()
    _write(config, ssl_config(made))
    server = ServerTls(config).http_context()
    for text in (made.key, ssl_config(made, servers)):
        _write(config, text)
        _shake(server, client)
        _shake(server, client)
    config.unlink()
    _shake(server, client)
    _write(config, ssl_config(Authority("others").sign("server")))
    with pytest.raises(ssl.SSLCertVerificationError), caplog.at_level(logging.INFO):
        _shake(server, client)
    told = [record.getMessage().partition("\n")[0] for record in caplog.records]
    assert told == [
        "The certificates stay as they are: This is no SSLConfig in protocol buffer text.",
        "The certificates stay as they are: A running server cannot begin or cease to ask clients for certificates.",
        "The certificates stay as they are: A file for TLS cannot be read.",
        f"New connections get the certificates that are in {config} now.",
    ]
    assert made.key.splitlines()[1] not in caplog.text


def test_certificates_that_end_are_told_before_and_after(
    tmp_path: Path, servers: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    config, hours = tmp_path / "ssl.config", timedelta(hours=1)
    _write(config, ssl_config(servers.sign("server", days=(-10, 10))))
    now = start = datetime.now(timezone.utc)
    tls = ServerTls(config, lambda: now)
    context, client = tls.http_context(), ssl.create_default_context(cadata=servers.certificate)
    client.check_hostname, client.verify_mode = False, ssl.CERT_NONE
    # Its issuer ends after two days, whose notice is 16 hours: a sixth of the four that it lives.
    told = []
    for passed in (0, 31, 33, 34, 56, 58, 59, 60):
        now = start + passed * hours
        caplog.clear()
        _shake(context, client)
        told.append([record.getMessage() for record in caplog.records if "server_cert" in record.getMessage()])
    where = f"A certificate of {config}, server_cert"
    found = [[line.removeprefix(where).partition(", on ")[0] for line in lines] for lines in told]
    assert found == [[], [], [" ends in 14 hours"], [], [" has ended"], [" has ended"], [" has ended"], [" has ended"]]
    _write(config, ssl_config(servers.sign("server", days=(5, 10))))
    caplog.clear()
    _shake(context, client)
    assert any(" begins only on " in record.getMessage() for record in caplog.records)
    caplog.clear()
    ServerTls(config, lambda: start).grpc_credentials()
    assert [record.getMessage().partition(" on ")[0] for record in caplog.records] == [f"{where} begins only"]


def test_one_that_ends_soon_does_not_keep_one_that_has_ended_from_being_told_each_hour(
    tmp_path: Path, servers: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    config, hour = tmp_path / "ssl.config", timedelta(hours=1)
    _write(config, ssl_config(servers.sign("server", days=(-2, 33 / 24))))
    now = start = datetime.now(timezone.utc)
    tls = ServerTls(config, lambda: now)
    told = []
    for passed in (34, 36):
        now = start + passed * hour
        caplog.clear()
        tls.grpc_credentials()
        told.append([record.getMessage().partition("server_cert ")[2] for record in caplog.records])
    # Its issuer ends after two days, less what making it took.
    assert [[line.partition(", on ")[0] for line in lines] for lines in told] == [
        ["has ended", "ends in 13 hours"],
        ["has ended", "ends in 11 hours"],
    ]
