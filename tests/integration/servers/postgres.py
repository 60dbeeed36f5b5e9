"""A private PostgreSQL server from Debian's packages, in a temporary folder and on a port that was free."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pg8000.dbapi

from tests.integration.servers.account import Account
from tests.integration.servers.certificate import certificate
from tests.integration.servers.database_server import PASSWORD, PASSWORD_VARIABLE
from tests.integration.servers.installed import find
from tests.integration.servers.port import free_port
from tests.integration.servers.process import Process
from tests.integration.servers.started import folder_of, started


class Postgres:
    """PostgreSQL with a user `ml` who may do everything."""

    def __init__(self, folder: Path, account: Account) -> None:
        self._process = Process(folder, account)
        self._postgres = find("postgres", packages="postgresql")
        self.port = free_port()
        secret = folder / "secret"
        secret.write_text(PASSWORD)
        initdb = find("initdb", packages="postgresql")
        self._process.run(
            [initdb, "-D", folder / "data", "-U", "ml", "--pwfile", secret, "--auth=scram-sha-256", "--no-sync"]
        )
        self._folder = folder
        rules = folder / "data" / "pg_hba.conf"
        rules.write_text(f"hostssl all tls all scram-sha-256\nhost all tls all reject\n{rules.read_text()}")
        self.tls = certificate(folder)
        account.owns(self.tls.certificate, self.tls.key)

    def start(self) -> None:
        options: dict[str, object] = {
            "listen_addresses": "127.0.0.1",
            "port": self.port,
            "unix_socket_directories": "",
            "fsync": "off",
        }
        options |= {"ssl": "on", "ssl_cert_file": self.tls.certificate, "ssl_key_file": self.tls.key}
        settings = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
        self._process.start([self._postgres, "-D", self._folder / "data", *settings])
        while True:  # until it answers, or has ended
            try:
                self._connect().close()
            except (pg8000.dbapi.Error, OSError):
                if not self._process.running():
                    raise AssertionError(self._process.log()) from None
            else:
                return

    def stop(self) -> None:
        self._process.stop(signal.SIGINT)  # at once, clients are cut off

    def create_tls_user(self) -> str:
        """A user who gets in only with TLS."""
        with contextlib.closing(self._connect()) as connection:
            connection.cursor().execute(f"CREATE ROLE tls SUPERUSER LOGIN PASSWORD '{PASSWORD}'")
        return "tls"

    def create(self, database: str) -> str:
        with contextlib.closing(self._connect()) as connection:
            connection.cursor().execute(f'CREATE DATABASE "{database}"')
        return f"postgresql://ml:${{{PASSWORD_VARIABLE}}}@127.0.0.1:{self.port}/{database}"

    def drop_connections(self, database: str) -> int:
        query = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND application_name = ''"
        with contextlib.closing(self._connect()) as connection:
            cursor = connection.cursor()
            cursor.execute(query, (database,))
            return len(cursor.fetchall())

    def _connect(self) -> Any:
        connection = pg8000.dbapi.connect(
            "ml", host="127.0.0.1", port=self.port, password=PASSWORD, database="postgres", application_name="tests"
        )
        connection.autocommit = True
        return connection


@contextlib.contextmanager
def postgres_server() -> Iterator[Postgres]:
    """A PostgreSQL server."""
    find("postgres", packages="postgresql")
    account = Account("postgres")
    with folder_of(account) as folder, started(Postgres(folder, account)) as server:
        yield server
