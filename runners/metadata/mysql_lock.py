"""A lock in a MySQL server."""

from __future__ import annotations

import hashlib
from typing import Any

import pymysql

_LONGEST_NAME = 64
_A_YEAR = 31536000  # seconds; the most that wait_timeout takes


class MysqlLock:
    """GET_LOCK of a pipeline in a database, on a connection of its own; it dies with the connection.

    Args:
        connection: PyMySQL's; the name of its program is shown to the next one where performance_schema is on.
        database: its name; names of locks are the server's.
        pipeline: its name.
    """

    def __init__(self, connection: Any, database: str, pipeline: str) -> None:
        digest = hashlib.sha256(f"{database}\0{pipeline}".encode()).hexdigest()[:16]
        self._name = f"scalable-tf {digest} {pipeline}"[:_LONGEST_NAME]
        self._connection = connection

    def acquire(self) -> bool:
        """Whether the lock is now held."""
        # An idle connection is closed after wait_timeout, and a node may take longer.
        self._ask(f"SET SESSION wait_timeout = {_A_YEAR}")
        return self._ask("SELECT GET_LOCK(%s, 0)", self._name) == (1,)

    def holder(self) -> str:
        """Who holds it, as far as the server tells; empty if nobody does any more."""
        number = self._ask("SELECT IS_USED_LOCK(%s)", self._name)
        if not number or number[0] is None:
            return ""
        query = "SELECT user, host, time FROM information_schema.processlist WHERE id = %s"
        found = self._ask(query, number[0])
        shown = f"connection {number[0]}" + (f" of {found[0]}@{found[1]}, since {found[2]} seconds" if found else "")
        try:
            query = (
                "SELECT attr_value FROM performance_schema.session_connect_attrs "
                "WHERE processlist_id = %s AND attr_name = 'program_name'"
            )
            named = self._ask(query, number[0])
        except pymysql.MySQLError:  # switched off, or not for this user
            named = None
        return f"{named[0]} ({shown})" if named else shown

    def is_held(self) -> bool:
        """Whether it still is."""
        try:
            return self._ask("SELECT IS_USED_LOCK(%s) = CONNECTION_ID()", self._name) == (1,)
        except (pymysql.MySQLError, OSError):
            return False

    def close(self) -> None:
        """Gives it back."""
        if self._connection.open:
            self._connection.close()

    def _ask(self, query: str, *values: object) -> tuple[object, ...] | None:
        with self._connection.cursor() as cursor:
            cursor.execute(query, values)
            row: tuple[object, ...] | None = cursor.fetchone()
            return row
