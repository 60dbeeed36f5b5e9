"""The way to a database server: who gets in, TLS, a network that is silent, a server that goes away."""

from __future__ import annotations

import contextlib
import os
import socket
from pathlib import Path

import pyarrow as pa
import pytest

from components.queries.keep_alive import SECONDS
from components.queries.result_files import ResultFiles
from tests.integration.queries.query_reading import (
    ENVIRONMENT,
    many_rows,
    read_result,
    refused,
    rows_of,
    trips_query,
)
from tests.integration.query_tables import execute
from tests.integration.relay import relay
from tests.integration.servers.certificate import certificate
from tests.integration.servers.database_server import PASSWORD, PASSWORD_VARIABLE, Server
from tests.integration.servers.mysql import Mysql

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("most", [20_000, 6_000_000], ids=["before the first batch", "between batches"])
def test_the_time_is_over_on_a_silent_network(server: Server, trips: str, tmp_path: Path, most: int) -> None:
    with relay(server.port, most) as port:
        query = trips_query(trips.replace(f":{server.port}", f":{port}"), many_rows(9, 2000), timeout_seconds=3)
        assert refused(query, tmp_path).what == "The query takes too long."


def _idle(port: int) -> list[int]:
    """For each connection to a port after how many silent seconds the kernel asks for the other side; 0: never."""
    found = []
    for name in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):  # which is no socket, or not connected
            connection = socket.socket(fileno=int(name))
            try:
                if connection.getpeername()[1:2] == (port,):
                    kept = connection.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
                    found.append(kept * connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE))
            finally:
                connection.detach()
    return found


def test_a_server_that_is_gone_is_noticed_without_a_limit(
    server: Server, trips: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, idle = ResultFiles.write, list[int]()

    def write_and_look(files: ResultFiles, batch: pa.RecordBatch) -> None:
        idle.extend(_idle(server.port))
        write(files, batch)

    monkeypatch.setattr(ResultFiles, "write", write_and_look)
    read_result(trips_query(trips), tmp_path)
    assert idle
    assert all(0 < seconds < SECONDS for seconds in idle)


def _accounts(server: Server, url: str) -> dict[str, tuple[str, str, str]]:
    """By fault: a URL, what is said, and a part of the rest."""
    nobody = url.replace("ml:", "nobody:")
    return {
        "the password": (url.replace(PASSWORD_VARIABLE, "WRONG"), "refuses the user or the password", "variable WRONG"),
        "the user": (nobody, "refuses the user or the password", "nobody, with the password from the variable"),
        "the database": (f"{url}s", "The database does not exist.", "Mend its name"),
        "the host": (url.replace("127.0.0.1", "nowhere.invalid"), "cannot be reached", "nowhere.invalid"),
        "the port": (url.replace(f":{server.port}", ":1"), "cannot be reached", "127.0.0.1:1"),
        "the permission": (url.replace("ml:", "poor:"), "The user may not read this.", "Grant SELECT"),
    }


FAULTS = ("the password", "the user", "the database", "the host", "the port", "the permission")


@pytest.mark.parametrize("fault", FAULTS)
def test_a_user_who_does_not_get_in(
    fault: str, server: Server, database: str, trips: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(ENVIRONMENT, "WRONG", "hunter2")
    if fault == "the permission" and isinstance(server, Mysql):
        execute(server, database, f"CREATE USER poor@'%' IDENTIFIED BY '{PASSWORD}'")
    elif fault == "the permission":
        execute(server, database, f"CREATE USER poor PASSWORD '{PASSWORD}'")
    url, what, more = _accounts(server, trips)[fault]
    error = refused(trips_query(url), tmp_path)
    assert what in error.what
    assert more in str(error)
    assert "hunter2" not in str(error)


def test_a_password_file(server: Server, trips: str, tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text(f"{PASSWORD}\n")
    url = trips.replace(f":${{{PASSWORD_VARIABLE}}}", "")
    assert rows_of(read_result(trips_query(f"{url}?password_file={file}"), tmp_path / "kept"))


def test_tls(server: Server, database: str, trips: str, tmp_path: Path) -> None:
    verified = (
        f"ssl_ca={server.tls.certificate}&ssl_verify_server_cert=true"
        if isinstance(server, Mysql)
        else f"sslmode=verify-full&sslrootcert={server.tls.certificate}"
    )
    assert rows_of(read_result(trips_query(f"{trips}?{verified}"), tmp_path / "kept"))
    other = verified.replace(str(server.tls.certificate), str(certificate(tmp_path).certificate))
    error = refused(trips_query(f"{trips}?{other}"), tmp_path / "other")
    assert error.what == "TLS to the database failed."


def test_a_server_that_asks_for_tls(server: Server, trips: str, tmp_path: Path) -> None:
    url = trips.replace("ml:", f"{server.create_tls_user()}:")
    if isinstance(server, Mysql):  # PyMySQL 1.2 encrypts by itself where the server can
        given = "ssl_ca="
    else:
        given = "sslrootcert="
        error = refused(trips_query(f"{url}?sslmode=disable"), tmp_path)
        assert error.what == "The user may not read this."
        assert "TLS" in error.fix
    assert rows_of(read_result(trips_query(f"{url}?{given}{server.tls.certificate}"), tmp_path))


def test_the_server_goes_away_on_the_way(
    server: Server, database: str, trips: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = ResultFiles.write

    def write_and_cut(files: ResultFiles, batch: pa.RecordBatch) -> None:
        write(files, batch)
        if isinstance(server, Mysql):
            server.drop_connections(database)
        else:
            end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'scalable-tf'"
            execute(server, database, end)

    with monkeypatch.context() as patched:
        patched.setattr(ResultFiles, "write", write_and_cut)
        error = refused(trips_query(trips, many_rows(9, 2000)), tmp_path)
    assert error.what == "The connection to the database was lost while the query was read."
    assert len(rows_of(read_result(trips_query(trips), tmp_path))) == 3
