"""Rows of PostgreSQL.

The query is declared as a cursor first, with the span as a parameter: that takes one SELECT and nothing else, in a
transaction that may only read, and tells names and types. Then COPY sends the rows as CSV, which is parsed some MiB at
a time: a row costs a hundredth of what it costs to be fetched from the cursor by a driver in Python. COPY knows no
parameters; a number or a date is written into it as a literal.
"""

from __future__ import annotations

import contextlib
import datetime
import ssl
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import pg8000.exceptions
import pyarrow as pa
from pg8000.core import CoreConnection

from components.queries.columns import choose_columns
from components.queries.copy_stream import CopyStream
from components.queries.failure import Failure, Place
from components.queries.keep_alive import keep_alive
from components.queries.statement import Statement, Value
from components.queries.time_limit import TimeLimit
from configs.account import Account
from configs.database_tls import postgresql_tls
from configs.store_url import StoreUrl
from schemas.raw_columns import RawColumns

_CONNECT_SECONDS = 10
# pg_type.dat has the numbers of types
_PARAMETERS: Mapping[type, int] = {int: 20, datetime.date: 1082}
_BEGIN = """
BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
SET LOCAL client_encoding = 'UTF8'; SET LOCAL DateStyle = 'ISO, YMD'; SET LOCAL TimeZone = 'UTC';
SET LOCAL bytea_output = 'hex'; SET LOCAL extra_float_digits = 1; SET LOCAL synchronize_seqscans = off;
SET LOCAL idle_in_transaction_session_timeout = 0;
"""
# https://www.postgresql.org/docs/current/errcodes-appendix.html: a code, or the class that it begins with
_FAILURES: Mapping[str, Failure] = {
    "28P01": Failure.ACCOUNT,
    "28": Failure.PERMISSION,
    "42501": Failure.PERMISSION,
    "3D": Failure.DATABASE,
    "3F": Failure.NAME,
    "42P01": Failure.NAME,
    "42703": Failure.NAME,
    "42704": Failure.NAME,
    "42883": Failure.NAME,
    "42": Failure.SYNTAX,
    "0A": Failure.READ_ONLY,
    "25": Failure.READ_ONLY,
    "57014": Failure.TIMEOUT,
    "57P03": Failure.BUSY,
    "53": Failure.BUSY,
    "57": Failure.LOST,
    "08": Failure.LOST,
}


def read_postgresql(
    url: StoreUrl,
    account: Account,
    sslpassword: str,
    statement: Statement,
    timeout: float | None,
    table: RawColumns,
    write: Callable[[pa.RecordBatch], None],
) -> None:
    """Reads the rows of a query.

    Args:
        url: of the server.
        account: who logs in.
        sslpassword: of the key in `sslkey`, or empty.
        statement: the query.
        timeout: seconds for all of it; None: the server's own limit.
        table: the feature table, whose columns are kept.
        write: takes the rows, some MiB at a time.

    Raises:
        DataError: why they cannot be read.
    """
    place, limit = Place.of(url, account), TimeLimit(timeout)
    with _connected(url, account, sslpassword, place) as connection, _told(place, limit):
        connection._usock.settimeout(limit.rest)
        connection.execute_simple(_BEGIN)
        _limit_statement(connection, limit)
        values = statement.values
        numbers = {value: f"${number}" for number, value in enumerate(values, 1)}
        connection.execute_unnamed(
            f"DECLARE rows NO SCROLL CURSOR FOR\n{statement.bound(lambda value: numbers[value])}",
            vals=[str(value) for value in values],
            oids=[_PARAMETERS[type(value)] for value in values],
        )
        columns = connection.execute_simple("FETCH FORWARD 0 FROM rows").columns
        names, kinds = [column["name"] for column in columns], [column["type_oid"] for column in columns]
        chosen = choose_columns(names, table, dict(_several(connection, names, kinds)), place.name)
        connection.execute_simple("CLOSE rows")

        def keep(batch: pa.RecordBatch) -> None:
            write(batch)
            connection._usock.settimeout(limit.rest)

        stream = CopyStream([(names[number], number, kinds[number]) for number in chosen], len(names), keep, place)
        _limit_statement(connection, limit)
        connection.execute_unnamed(f"COPY (\n{statement.bound(_literal)}\n) TO STDOUT (FORMAT csv)", stream=stream)
        stream.end()


@contextlib.contextmanager
def _connected(url: StoreUrl, account: Account, sslpassword: str, place: Place) -> Iterator[Any]:
    try:
        connection = CoreConnection(
            account.user,
            host=url.host,
            port=url.port,
            database=url.database,
            password=account.password,
            timeout=_CONNECT_SECONDS,
            ssl_context=postgresql_tls(url.parameters, sslpassword),
            application_name="scalable-tf",
        )
    except pg8000.exceptions.DatabaseError as error:
        raise _error(place, error) from error
    except (pg8000.exceptions.Error, OSError) as error:
        tls = isinstance(error, (ssl.SSLError, FileNotFoundError)) or "SSL" in str(error)
        raise place.error(Failure.TLS if tls else Failure.UNREACHABLE, error.__cause__ or error) from error
    keep_alive(connection._usock)
    try:
        yield connection
    finally:
        with contextlib.suppress(pg8000.exceptions.Error, OSError):
            connection.close()


def _limit_statement(connection: Any, limit: TimeLimit) -> None:
    if limit.rest is not None:
        connection.execute_simple(f"SET LOCAL statement_timeout = {max(1, round(limit.rest * 1000))}")


@contextlib.contextmanager
def _told(place: Place, limit: TimeLimit) -> Iterator[None]:
    """Translates what the driver raises; what the disk refuses, inside of `write`, is nothing of its own."""
    try:
        yield
    except pg8000.exceptions.DatabaseError as error:
        raise _error(place, error) from error
    except pg8000.exceptions.Error as error:
        raise place.error(Failure.TIMEOUT if limit.over else Failure.LOST, error.__cause__ or error) from error


def _error(place: Place, error: Any) -> Exception:
    told = error.args[0] if isinstance(error.args[0], dict) else {"M": str(error)}
    code = told.get("C", "")
    failure = next((_FAILURES[key] for key in (code, code[:2]) if key in _FAILURES), Failure.OTHER)
    more = "".join(f" {told[key]}" for key in ("D", "H") if key in told)
    return place.error(failure, f"{code}: {told.get('M', '')}{more}")


def _several(connection: Any, names: Sequence[str], kinds: Sequence[int]) -> Iterator[tuple[str, str]]:
    """The columns whose type holds several values: arrays, rows and ranges."""
    wanted = ", ".join(str(kind) for kind in sorted(set(kinds)))
    found = connection.execute_simple(
        "SELECT CAST(oid AS bigint), CAST(typname AS text) FROM pg_catalog.pg_type "
        f"WHERE oid IN ({wanted}) AND (typcategory = 'A' OR typtype IN ('c', 'r', 'm') OR typname = 'record')"
    )
    several = dict(found.rows)
    for name, kind in zip(names, kinds, strict=True):
        if kind in several:
            yield name, f"an array of {several[kind][1:]}" if several[kind].startswith("_") else several[kind]


def _literal(value: Value) -> str:
    return f"DATE '{value.isoformat()}'" if isinstance(value, datetime.date) else f"CAST({int(value)} AS bigint)"
