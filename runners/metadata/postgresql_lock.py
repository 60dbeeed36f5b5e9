"""A lock in a PostgreSQL database."""

from __future__ import annotations

import contextlib
import hashlib
from typing import Any

import pg8000.dbapi

# So that the lock of a machine that vanished goes in two minutes, and that an idle connection is not closed.
_SETTINGS = {
    "tcp_keepalives_idle": 60,
    "tcp_keepalives_interval": 10,
    "tcp_keepalives_count": 6,
    "idle_session_timeout": 0,  # since PostgreSQL 14
}


class PostgresqlLock:
    """An advisory lock of a pipeline in a database, on a connection of its own; it dies with the connection.

    Args:
        connection: pg8000's; its application_name is shown to the next one.
        pipeline: its name.
    """

    def __init__(self, connection: Any, pipeline: str) -> None:
        digest = hashlib.sha256(f"scalable-tf {pipeline}".encode()).digest()
        self._key = int.from_bytes(digest[:8], "big", signed=True)
        self._connection = connection

    def acquire(self) -> bool:
        """Whether the lock is now held."""
        for name, value in _SETTINGS.items():
            with contextlib.suppress(pg8000.dbapi.DatabaseError):  # an older server
                self._ask(f"SELECT set_config('{name}', '{value}', false)")
        return self._ask("SELECT pg_try_advisory_lock(%s)", self._key) == [True]

    def holder(self) -> str:
        """Who holds it; empty if nobody does any more."""
        found = self._ask(
            "SELECT application_name, client_addr::text, backend_start::text FROM pg_locks JOIN pg_stat_activity "
            "USING (pid) WHERE locktype = 'advisory' AND objsubid = 1 AND granted AND database = "
            "(SELECT oid FROM pg_database WHERE datname = current_database()) "
            "AND classid::bigint = %s AND objid::bigint = %s",
            (self._key >> 32) & 0xFFFFFFFF,
            self._key & 0xFFFFFFFF,
        )
        return f"{found[0]} (from {found[1]}, since {found[2]})" if found else ""

    def is_held(self) -> bool:
        """Whether it still is: as long as the connection is there."""
        try:
            return self._ask("SELECT true") == [True]
        except (pg8000.dbapi.Error, OSError):
            return False

    def close(self) -> None:
        """Gives it back."""
        with contextlib.suppress(pg8000.dbapi.Error, OSError):
            self._connection.close()

    def _ask(self, query: str, *values: object) -> list[object] | None:
        cursor = self._connection.cursor()
        cursor.execute(query, values)
        row: list[object] | None = cursor.fetchone()
        return None if row is None else list(row)
