"""Rows of MySQL and MariaDB.

The cursor is unbuffered: the server sends the rows as fast as they are read, and no more than one batch of them is in
memory. The transaction may only read, and a second statement is a syntax error for the server. A span is written
into the query as a literal: MySQL's protocol has no parameters but in prepared statements, and PyMySQL none of those.
"""

from __future__ import annotations

import contextlib
import datetime
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pyarrow as pa
import pymysql.connections
from pymysql.constants import FIELD_TYPE
from pymysql.cursors import SSCursor

from components.queries.columns import choose_columns
from components.queries.failure import Failure, Place
from components.queries.keep_alive import keep_alive
from components.queries.mysql_column import mysql_column
from components.queries.mysql_row import read_row
from components.queries.statement import Statement, Value
from components.queries.time_limit import TimeLimit
from configs.account import Account
from configs.database_tls import mysql_tls
from configs.store_url import StoreUrl
from schemas.raw_columns import RawColumns

BATCH_BYTES = 4 << 20
"""About as much is in memory at a time, or one row."""
_FIRST_ROWS, _MOST_ROWS = 256, 50_000
_CONNECT_SECONDS = 10
# https://dev.mysql.com/doc/mysql-errors/8.0/en/ and https://mariadb.com/kb/en/mariadb-error-codes/
_FAILURES: Mapping[int, Failure] = {
    **dict.fromkeys((1045, 1698, 1862, 3118, 4151), Failure.ACCOUNT),
    **dict.fromkeys((1044, 1129, 1130, 1142, 1143, 1227, 1370), Failure.PERMISSION),
    **dict.fromkeys((1051, 1054, 1109, 1146, 1305, 1630), Failure.NAME),
    **dict.fromkeys((1064, 1149), Failure.SYNTAX),
    **dict.fromkeys((1290, 1792, 1836), Failure.READ_ONLY),
    **dict.fromkeys((1969, 3024), Failure.TIMEOUT),
    **dict.fromkeys((1040, 1203, 1226), Failure.BUSY),
    **dict.fromkeys((1053, 1152, 1159, 1160, 1161, 1317, 1927, 2006, 2013), Failure.LOST),
    **dict.fromkeys((2002, 2003, 2005), Failure.UNREACHABLE),
    **dict.fromkeys((2026, 3159), Failure.TLS),
    1049: Failure.DATABASE,
}


def read_mysql(
    url: StoreUrl,
    account: Account,
    statement: Statement,
    timeout: float | None,
    table: RawColumns,
    write: Callable[[pa.RecordBatch], None],
) -> None:
    """Reads the rows of a query.

    Args:
        url: of the server.
        account: who logs in.
        statement: the query.
        timeout: seconds for all of it; None: the server's own limit.
        table: the feature table, whose columns are kept.
        write: takes the rows, some MiB at a time.

    Raises:
        DataError: why they cannot be read.
    """
    place, limit = Place.of(url, account), TimeLimit(timeout)
    with _connected(url, account, limit, place) as connection:
        with _told(place, limit):
            _begin(connection, timeout)
            cursor = connection.cursor(SSCursor)
            cursor.execute(statement.bound(_literal))
            fields = cursor._result.fields
            # PyMySQL's own takes five sixths of all the time.
            cursor._result._read_row_from_packet = read_row
        names = [field.name for field in fields]
        several = {field.name: "a geometry" for field in fields if field.type_code == FIELD_TYPE.GEOMETRY}
        chosen = choose_columns(names, table, several, place.name)
        rows = _FIRST_ROWS
        while True:
            with _told(place, limit):
                found = cursor.fetchmany(rows)
            if not found:
                return
            columns = list(zip(*found, strict=True))
            with _told(place, limit):
                arrays = [mysql_column(columns[number], fields[number]) for number in chosen]
            batch = pa.RecordBatch.from_arrays(arrays, [names[number] for number in chosen])
            write(batch)
            rows = min(_MOST_ROWS, max(1, BATCH_BYTES * batch.num_rows // max(1, batch.nbytes)))


class _Connection(pymysql.connections.Connection):
    """Waits for no packet, such as a row, longer than its limit: at first that of logging in."""

    def __init__(self, **options: Any) -> None:
        self.limit = TimeLimit(_CONNECT_SECONDS)
        super().__init__(**options)

    def _read_packet(self, *kind: Any) -> Any:
        self.limit.check()
        self._read_timeout = self.limit.rest
        return super()._read_packet(*kind)


@contextlib.contextmanager
def _connected(url: StoreUrl, account: Account, limit: TimeLimit, place: Place) -> Iterator[Any]:
    try:
        connection = _Connection(
            host=url.host,
            port=url.port,
            user=account.user,
            password=account.password,
            database=url.database,
            charset="utf8mb4",
            connect_timeout=_CONNECT_SECONDS,
            program_name="scalable-tf",
            ssl=mysql_tls(url.parameters),
        )
    except pymysql.MySQLError as error:
        raise _error(place, error) from error
    except (OSError, RuntimeError) as error:  # a file of the TLS options; a way to log in that PyMySQL does not know
        raise place.error(Failure.TLS, error) from error
    connection.limit = limit
    keep_alive(connection._sock)
    try:
        yield connection
    finally:
        # The cursor and its result would read all rows that are left.
        if connection._result is not None:
            connection._result.unbuffered_active = False
        connection.close()


def _begin(connection: Any, timeout: float | None) -> None:
    with connection.cursor() as cursor:
        # What the server sends waits while a batch is written.
        cursor.execute("SET SESSION time_zone = '+00:00', SESSION net_write_timeout = 3600")
        if timeout is not None and "MariaDB" in connection.get_server_info():
            cursor.execute("SET SESSION max_statement_time = %s", (timeout,))
        elif timeout is not None:
            cursor.execute("SET SESSION max_execution_time = %s", (max(1, round(timeout * 1000)),))
        cursor.execute("SET SESSION TRANSACTION READ ONLY")
        cursor.execute("START TRANSACTION READ ONLY")


@contextlib.contextmanager
def _told(place: Place, limit: TimeLimit) -> Iterator[None]:
    """Translates what the driver raises."""
    try:
        yield
    except pymysql.MySQLError as error:
        raise _error(place, error, Failure.TIMEOUT if limit.over else Failure.LOST) from error
    except pa.ArrowInvalid as error:
        raise place.error(Failure.TEXT, error) from error
    except OSError as error:
        raise place.error(Failure.TIMEOUT if limit.over else Failure.LOST, error) from error


def _error(place: Place, error: Exception, lost: Failure = Failure.LOST) -> Exception:
    code = error.args[0] if error.args and isinstance(error.args[0], int) else 0
    told = str(error.args[-1]) if error.args else type(error).__name__
    tls = code == 2003 and ("SSL" in told or "certificate" in told.lower())
    failure = Failure.TLS if tls else _FAILURES.get(code, Failure.LOST if code == 0 else Failure.OTHER)
    if failure is Failure.LOST:
        failure = lost
    return place.error(failure, f"{code}: {told}" if code else told or "the connection is closed")


def _literal(value: Value) -> str:
    return f"DATE '{value.isoformat()}'" if isinstance(value, datetime.date) else str(int(value))
