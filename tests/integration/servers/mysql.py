"""A private MariaDB server from Debian's packages, in a temporary folder and on a port that was free."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pymysql

from tests.integration.servers.account import Account
from tests.integration.servers.certificate import certificate
from tests.integration.servers.database_server import PASSWORD, PASSWORD_VARIABLE
from tests.integration.servers.installed import find
from tests.integration.servers.port import free_port
from tests.integration.servers.process import Process
from tests.integration.servers.started import folder_of, started


class Mysql:
    """MariaDB with a user `ml` who may do everything."""

    def __init__(self, folder: Path, account: Account) -> None:
        self._process = Process(folder, account)
        self._mariadbd = find("mariadbd", packages="mariadb-server")
        self.port = free_port()
        install = find("mariadb-install-db", packages="mariadb-server")
        self._process.run(
            [
                install,
                "--no-defaults",
                f"--datadir={folder}/data",
                "--auth-root-authentication-method=normal",
                "--skip-test-db",
            ]
        )
        self._folder = folder
        self._prepared = False
        self.tls = certificate(folder)
        account.owns(self.tls.certificate, self.tls.key)

    def start(self) -> None:
        self._process.start(
            [
                self._mariadbd,
                "--no-defaults",
                f"--datadir={self._folder}/data",
                f"--port={self.port}",
                "--bind-address=127.0.0.1",
                f"--socket={self._folder}/socket",
                "--innodb-flush-log-at-trx-commit=0",
                f"--ssl-cert={self.tls.certificate}",
                f"--ssl-key={self.tls.key}",
                f"--pid-file={self._folder}/pid",
                "--skip-name-resolve",
                "--innodb-buffer-pool-size=32M",
            ]
        )
        while True:  # until it answers, or has ended
            try:
                if not self._prepared:
                    self._prepare()
                self._connect().close()
            except (pymysql.Error, OSError):
                if not self._process.running():
                    raise AssertionError(self._process.log()) from None
            else:
                return

    def _prepare(self) -> None:
        with self._root() as connection:
            cursor = connection.cursor()
            cursor.execute("CREATE USER ml@'%%' IDENTIFIED BY %s", (PASSWORD,))
            cursor.execute("GRANT ALL ON *.* TO ml@'%'")
        self._prepared = True

    def stop(self) -> None:
        self._process.stop(signal.SIGTERM)

    def create_tls_user(self) -> str:
        """A user who gets in only with TLS."""
        with self._root() as connection:
            connection.cursor().execute("CREATE OR REPLACE USER tls@'%%' IDENTIFIED BY %s REQUIRE SSL", (PASSWORD,))
            connection.cursor().execute("GRANT ALL ON *.* TO tls@'%'")
        return "tls"

    def _root(self) -> Any:
        return pymysql.connect(unix_socket=f"{self._folder}/socket", user="root")

    def create(self, database: str) -> str:
        with self._connect() as connection:
            connection.cursor().execute(f"CREATE DATABASE `{database}`")
        return f"mysql://ml:${{{PASSWORD_VARIABLE}}}@127.0.0.1:{self.port}/{database}"

    def drop_connections(self, database: str) -> int:
        with self._connect() as connection:
            cursor = connection.cursor()
            cursor.execute("SELECT id FROM information_schema.processlist WHERE db = %s", (database,))
            found = [int(row[0]) for row in cursor.fetchall()]
            for number in found:
                with contextlib.suppress(pymysql.Error):  # it may just have gone by itself
                    cursor.execute(f"KILL {number}")
        return len(found)

    def _connect(self) -> Any:
        return pymysql.connect(host="127.0.0.1", port=self.port, user="ml", password=PASSWORD)


@contextlib.contextmanager
def mysql_server() -> Iterator[Mysql]:
    """A MariaDB server, which speaks MySQL's protocol."""
    find("mariadbd", packages="mariadb-server")
    account = Account("mysql")
    with folder_of(account) as folder, started(Mysql(folder, account)) as server:
        yield server
