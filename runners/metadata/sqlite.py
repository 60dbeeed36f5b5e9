"""A store in an SQLite file."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from ml_metadata.errors import AbortedError, StatusError
from ml_metadata.proto import metadata_store_pb2

from runners.metadata.backend import Backend, Failure, StoreUnreachableError
from schemas.errors import RunError
from schemas.storage_error import storage_error

_PAGES = slice(28, 32)  # of the header: the size of the file, in pages; https://sqlite.org/fileformat.html
_PAGE_SIZE = slice(16, 18)


class SqliteBackend(Backend):
    """An SQLite file.

    Args:
        path: the file, which is made where it is not there.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.place = str(path)

    def config(self) -> metadata_store_pb2.ConnectionConfig:
        """Opens the file, and makes it where it is not there."""
        config = metadata_store_pb2.ConnectionConfig()
        config.sqlite.filename_uri = str(self.path)
        config.sqlite.connection_mode = metadata_store_pb2.SqliteMetadataSourceConfig.READWRITE_OPENCREATE
        return config

    def check(self) -> None:
        """Takes the write lock and gives it back: nothing is written, not even into a file that is damaged.

        ML Metadata would wait for the lock too, half a minute for each of its tables, and with the interpreter stopped.
        """
        if not self.path.exists() or self.path.stat().st_size == 0:
            return
        try:
            self._check_size()
            with closing(sqlite3.connect(f"{self.path.absolute().as_uri()}?mode=rw", uri=True, timeout=0)) as opened:
                opened.isolation_level = None
                opened.execute("BEGIN IMMEDIATE")
                opened.execute("SELECT count(*) FROM sqlite_master").fetchone()
                opened.execute("ROLLBACK")
        except (sqlite3.Error, OSError) as error:
            raise storage_error(error, self.path.parent) or self._error(str(error)) from error

    def failure(self, error: StatusError) -> Failure | None:
        """Only another program's lock passes by itself.

        Raises:
            RunError: the file is damaged, cannot be written to, or the disk is full.
        """
        if isinstance(error, AbortedError) or "database is locked" in str(error):
            return Failure.BUSY
        refused = storage_error(error, self.path.parent)  # SQLite says that a disk is full, but not which one
        if refused is not None:
            raise refused from error
        if any(text in str(error) for text in ("malformed", "not a database")):
            raise self._error(
                str(error).partition(" query:")[0].removeprefix("Error when executing query: ")
            ) from error
        return None

    def unreachable(self, reason: object, *, fix: str = "") -> StoreUnreachableError:
        """The error for a file that another program has locked."""
        return StoreUnreachableError(
            "The metadata store is locked by another program.",
            where=self.place,
            received=reason,
            fix=fix or f"End it: `fuser -v {self.path}` shows which one.",
        )

    def refused(self, reason: str) -> RunError:
        """The disk's reasons are its own."""
        return storage_error(RuntimeError(reason), self.path.parent) or super().refused(reason)

    def _check_size(self) -> None:
        with self.path.open("rb") as file:
            header = file.read(100)
        pages = int.from_bytes(header[_PAGES], "big")
        size = int.from_bytes(header[_PAGE_SIZE], "big")
        expected, found = pages * (65536 if size == 1 else size), self.path.stat().st_size
        # The count of pages holds where these two are equal.
        if header.startswith(b"SQLite format 3\0") and header[24:28] == header[92:96] and found < expected:
            raise sqlite3.DatabaseError(f"the file has {found} of {expected} bytes")

    def _error(self, reason: str) -> RunError:
        if "locked" in reason:
            return self.unreachable(reason)
        if "malformed" in reason or "not a database" in reason or "bytes" in reason:
            return RunError(
                "The metadata store is damaged.",
                where=self.place,
                received=reason,
                fix="Put a backup back, or move the file and <output_dir>/artifacts away: the next run makes a new "
                "store. Nothing was changed; releases are not affected.",
            )
        return RunError(
            "The metadata store cannot be used.",
            where=self.place,
            received=reason,
            fix="See that the file and its folder can be read and written.",
        )
