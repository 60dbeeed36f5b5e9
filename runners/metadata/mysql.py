"""A store in a MySQL or MariaDB database."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from typing import Any

import pymysql
from ml_metadata.errors import AbortedError, StatusError
from ml_metadata.proto import metadata_store_pb2

from configs.account import Account
from configs.database_tls import mysql_tls
from configs.store_url import StoreUrl
from runners.metadata.backend import CHECK_SECONDS, Failure, Lock, LockingBackend
from runners.metadata.mysql_lock import MysqlLock
from schemas.errors import RunError

# https://dev.mysql.com/doc/mysql-errors/8.0/en/ and https://mariadb.com/kb/en/mariadb-error-codes/
_WRONG_ACCOUNT = {1045, 1698, 1862, 3118, 4151}
_NO_PERMISSION = {1044, 1130, 1129, 1142, 1227}
_NO_DATABASE = {1049}
_NEEDS_TLS = {2026, 3159}
_LOST = re.compile(
    r"Lost connection|gone away|Can't connect|shutdown in progress|was killed|disconnected by the server|"
    r"read-only|Too many connections|mysql_real_connect",
    re.IGNORECASE,
)
_RACE = re.compile(r"subset of tables|already exists|Deadlock|Lock wait timeout", re.IGNORECASE)


class MysqlBackend(LockingBackend):
    """A MySQL or MariaDB server.

    Args:
        url: where it is.
        account: who logs in.
    """

    def __init__(self, url: StoreUrl, account: Account) -> None:
        self._url, self._account = url, account
        self.place = str(url)

    def config(self) -> metadata_store_pb2.ConnectionConfig:
        """Never creates the database: a mistyped name must not become one."""
        config = metadata_store_pb2.ConnectionConfig()
        server = config.mysql
        server.host, server.port, server.database = self._url.host, self._url.port, self._url.database
        server.user, server.password = self._account.user, self._account.password
        server.skip_db_creation = True
        for name, value in self._url.parameters.items():
            if name == "ssl_verify_server_cert":
                server.ssl_options.verify_server_cert = value == "true"
            elif name != "password_file":
                setattr(server.ssl_options, name.removeprefix("ssl_"), value)
        return config

    def connect(self, program_name: str = "scalable-tf") -> Any:
        """A connection of PyMySQL, which autocommits.

        Args:
            program_name: what the server's performance_schema shows.

        Raises:
            StoreUnreachableError: this may pass by itself.
            RunError: this does not.
        """
        try:
            return pymysql.connect(
                host=self._url.host,
                port=self._url.port,
                user=self._account.user,
                password=self._account.password,
                database=self._url.database,
                connect_timeout=CHECK_SECONDS,
                autocommit=True,
                program_name=program_name,
                ssl=mysql_tls(self._url.parameters),
            )
        except pymysql.MySQLError as error:
            raise self._error(int(error.args[0] or 0), str(error.args[-1])) from error
        except (
            OSError,
            RuntimeError,
        ) as error:  # a file of the TLS options; a way to log in that PyMySQL does not know
            raise self._error(0, str(error)) from error

    def check(self) -> None:
        """Logs in."""
        self.connect().close()

    def new_lock(self, pipeline: str, holder: str) -> Lock:
        """GET_LOCK."""
        return MysqlLock(self.connect(holder), self._url.database, pipeline)

    @contextlib.contextmanager
    def session(self) -> Iterator[None]:
        """PyMySQL's errors are a number and a text, which is empty when its socket was closed before."""
        try:
            yield
        except (pymysql.MySQLError, OSError) as error:
            raise self.broken(error.args[-1] or "the connection is closed") from error

    def failure(self, error: StatusError) -> Failure | None:
        """An aborted transaction was rolled back; the rest is in the text only."""
        if isinstance(error, AbortedError):
            return Failure.BUSY
        return Failure.LOST if _LOST.search(str(error)) else None

    def refused(self, reason: str) -> RunError:
        """Tables that another process is making pass by themselves."""
        if _RACE.search(reason):
            return self.unreachable(
                reason,
                fix="Another process makes the tables. If none does, a first use was cut off: empty the database.",
            )
        if "mysql_real_connect failed" in reason:
            return RunError(
                "ML Metadata's library cannot log in, though the server lets this user in.",
                where=self.place,
                received="no reason from the library",
                fix="It knows only one way to log in (ALTER USER ... IDENTIFIED WITH mysql_native_password), and "
                "cannot check certificates (leave ssl_verify_server_cert out).",
            )
        return self.unreachable(reason) if _LOST.search(reason) else super().refused(reason)

    def _error(self, code: int, message: str) -> RunError:
        received = f"{code}: {message}" if code else message
        if code in _WRONG_ACCOUNT:
            return self.refused_account(self._account, received)
        if code in _NO_DATABASE:
            name = self._url.database.replace("`", "``")
            return RunError(
                "The database of the metadata store does not exist.",
                where=self.place,
                received=received,
                fix=f"Create it: CREATE DATABASE `{name}`; or mend its name in metadata.url.",
            )
        if code in _NO_PERMISSION:
            return RunError(
                "The user may not use the database of the metadata store.",
                where=self.place,
                received=received,
                fix=f"Grant it, from this host: GRANT ALL ON `{self._url.database}`.* TO {self._account.user};",
            )
        if code in _NEEDS_TLS or "SSL" in message or "certificate" in message.lower() or code == 0:
            return RunError(
                "TLS to the metadata store failed.",
                where=self.place,
                received=received,
                fix="Check the ssl_ parameters of metadata.url and the files that they name.",
            )
        return self.unreachable(received)
