"""A store in a PostgreSQL database."""

from __future__ import annotations

import contextlib
import re
import ssl
from collections.abc import Iterator
from typing import Any

import pg8000.dbapi
from google.protobuf.message import Message
from ml_metadata.errors import AbortedError, FailedPreconditionError, InternalError, StatusError
from ml_metadata.proto import metadata_store_pb2

from configs.account import Account
from configs.database_tls import postgresql_tls
from configs.store_url import StoreUrl
from runners.metadata.backend import CHECK_SECONDS, Failure, Lock, LockingBackend
from runners.metadata.backslash import restore_backslashes, without_backslashes
from runners.metadata.postgresql_lock import PostgresqlLock
from schemas.errors import RunError

# https://www.postgresql.org/docs/current/errcodes-appendix.html
_WRONG_ACCOUNT = {"28P01"}
_NO_PERMISSION = {"28000", "42501"}
_NO_DATABASE = {"3D000"}
_ENCRYPTED = {"require", "verify-ca", "verify-full"}
_LOST = re.compile(
    r"terminating connection|server closed the connection|the database system is|could not (receive|send|connect)|"
    r"no connection to the server|connection (reset|refused|timed out)|read-only transaction|SSL connection|"
    r"too many (clients|connections)|source error: *$",
    re.IGNORECASE,
)
_LEFT_OPEN = "Transaction already open"
_RACE = re.compile(
    r"duplicate key value|already exists|tuple concurrently|deadlock detected|subset of tables", re.IGNORECASE
)
_SERIALIZED = re.compile(r"deadlock detected|could not serialize|canceling statement due to", re.IGNORECASE)


class PostgresqlBackend(LockingBackend):
    """A PostgreSQL server.

    Args:
        url: where it is.
        account: who logs in.
        sslpassword: of the key in `sslkey`, or empty.
    """

    # libpq keeps to connect_timeout, and logging in takes Python a tenth of a second.
    check_first = False

    def __init__(self, url: StoreUrl, account: Account, sslpassword: str = "") -> None:
        self._url, self._account, self._sslpassword = url, account, sslpassword
        self.place = str(url)

    def config(self) -> metadata_store_pb2.ConnectionConfig:
        """Never creates the database: a mistyped name must not become one.

        ML Metadata puts the values into libpq's connection string as they are, so they are quoted here.
        """
        config = metadata_store_pb2.ConnectionConfig()
        server = config.postgresql
        server.host, server.port = _quoted(self._url.host), _quoted(str(self._url.port))
        server.user, server.password = _quoted(self._account.user), _quoted(self._account.password)
        server.dbname = f"{_quoted(self._url.database)} connect_timeout={CHECK_SECONDS}"
        server.skip_db_creation = True
        for name, value in self._url.parameters.items():
            if name.startswith("ssl"):
                setattr(server.ssloption, name, _quoted(self._sslpassword if name == "sslpassword" else value))
        return config

    def connect(self, application_name: str = "scalable-tf") -> Any:
        """A connection of pg8000, which autocommits.

        Args:
            application_name: what the server's pg_stat_activity shows, 63 bytes of it.

        Raises:
            StoreUnreachableError: this may pass by itself.
            RunError: this does not.
        """
        try:
            connection = pg8000.dbapi.connect(
                self._account.user,
                host=self._url.host,
                port=self._url.port,
                database=self._url.database,
                password=self._account.password,
                timeout=CHECK_SECONDS,
                ssl_context=postgresql_tls(self._url.parameters, self._sslpassword),
                application_name=application_name.encode("ascii", "replace")[:63].decode(),
            )
        except pg8000.dbapi.DatabaseError as error:
            raise self._error(*_told(error)) from error
        except (pg8000.dbapi.Error, OSError) as error:
            if isinstance(error, (ssl.SSLError, FileNotFoundError)) or "SSL" in str(error):
                raise self._tls_error(error) from error
            cause = error.__cause__ or error
            raise self.unreachable(cause) from error
        connection.autocommit = True
        return connection

    def check(self) -> None:
        """Logs in."""
        self.connect().close()

    def new_lock(self, pipeline: str, holder: str) -> Lock:
        """An advisory lock."""
        return PostgresqlLock(self.connect(holder), pipeline)

    @contextlib.contextmanager
    def session(self) -> Iterator[None]:
        """The server says why it breaks off, or is just gone."""
        try:
            yield
        except pg8000.dbapi.DatabaseError as error:
            raise self.broken(": ".join(_told(error))) from error
        except (pg8000.dbapi.Error, OSError) as error:
            raise self.broken(error.__cause__ or error) from error

    def outgoing(self, request: Message) -> Message:
        """Without backslashes, which the library cannot store."""
        return without_backslashes(request)

    def incoming(self, response: Message) -> None:
        """With them."""
        restore_backslashes(response)

    def failure(self, error: StatusError) -> Failure | None:
        """ML Metadata calls everything that libpq says an internal error; the rest is in the text."""
        if isinstance(error, AbortedError) or (isinstance(error, InternalError) and _SERIALIZED.search(str(error))):
            return Failure.BUSY
        # A connection that is cut where a call has read what it wanted leaves the library with a transaction that it
        # never ended: the next call is told of it, and has done nothing.
        left_open = isinstance(error, FailedPreconditionError) and _LEFT_OPEN in str(error)
        return Failure.LOST if left_open or (isinstance(error, InternalError) and _LOST.search(str(error))) else None

    def refused(self, reason: str) -> RunError:
        """Tables that another process is making pass by themselves."""
        if _RACE.search(reason):
            return self.unreachable(
                reason,
                fix="Another process makes the tables. If none does, a first use was cut off: empty the database.",
            )
        if self._url.parameters.get("sslmode") in _ENCRYPTED and _LOST.search(reason):
            return RunError(
                "ML Metadata's library was built without TLS for PostgreSQL.",
                where=self.place,
                received=f"sslmode={self._url.parameters['sslmode']}",
                fix="Use a TLS tunnel that ends on this machine (stunnel, a proxy of the cloud), or let "
                "`scalable-tf metadata serve` or ML Metadata's service run beside the database.",
            )
        return self.unreachable(reason) if _LOST.search(reason) else super().refused(reason)

    def _tls_error(self, received: object) -> RunError:
        return RunError(
            "TLS to the metadata store failed.",
            where=self.place,
            received=received,
            fix="Check sslmode and the other ssl parameters of metadata.url, and the files that they name.",
        )

    def _error(self, code: str, message: str) -> RunError:
        received = f"{code}: {message}"
        if code in _WRONG_ACCOUNT:
            return self.refused_account(self._account, received)
        if code in _NO_DATABASE:
            name = self._url.database.replace('"', '""')
            return RunError(
                "The database of the metadata store does not exist.",
                where=self.place,
                received=received,
                fix=f'Create it: CREATE DATABASE "{name}"; or mend its name in metadata.url.',
            )
        if code in _NO_PERMISSION:
            return RunError(
                "The user may not use the database of the metadata store.",
                where=self.place,
                received=received,
                fix=f"Let it in: pg_hba.conf of the server, GRANT ALL ON DATABASE ... TO {self._account.user}, or TLS "
                "(see docs/metadata.md).",
            )
        return self.unreachable(received)


def _told(error: pg8000.dbapi.DatabaseError) -> tuple[str, str]:
    """The code and the message of an error that the server sent."""
    found = error.args[0] if error.args and isinstance(error.args[0], dict) else {}
    return str(found.get("C", "")), str(found.get("M", error))


def _quoted(value: str) -> str:
    """As a value of libpq's connection strings."""
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
