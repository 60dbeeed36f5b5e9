"""Tables in real database servers, for queries."""

from __future__ import annotations

import contextlib
import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pg8000.dbapi
import pymysql

from tests.integration.servers.database_server import PASSWORD, Server
from tests.integration.servers.mysql import Mysql
from tests.integration.servers.postgres import Postgres

_MYSQL_TYPES = {"double precision": "double", "text": "text"}


@contextlib.contextmanager
def connected(server: Server, database: str) -> Iterator[Any]:
    """A DB-API connection that may do everything."""
    if isinstance(server, Postgres):
        connection = pg8000.dbapi.connect(
            "ml", host="127.0.0.1", port=server.port, password=PASSWORD, database=database, application_name="tests"
        )
        connection.autocommit = True
    else:
        connection = pymysql.connect(
            host="127.0.0.1", port=server.port, user="ml", password=PASSWORD, database=database, autocommit=True
        )
    with contextlib.closing(connection):
        yield connection


def execute(server: Server, database: str, *statements: str) -> None:
    """Runs statements."""
    with connected(server, database) as connection:
        cursor = connection.cursor()
        for statement in statements:
            cursor.execute(statement)


def load_csv(server: Server, database: str, table: str, file: Path, types: Mapping[str, str]) -> None:
    """Makes a table of a CSV file's columns, in the order of `types`, and a column `id` that numbers its rows.

    Args:
        server: where.
        database: that is there.
        table: its name.
        file: with a header; an empty field is NULL.
        types: of columns, in PostgreSQL's words.
    """
    with file.open(newline="") as opened:
        rows: Sequence[Sequence[str | None]] = [
            [str(number), *(row[name] or None for name in types)] for number, row in enumerate(csv.DictReader(opened))
        ]
    mysql = isinstance(server, Mysql)
    kinds = {name: _MYSQL_TYPES.get(kind, kind) if mysql else kind for name, kind in types.items()}
    columns = ", ".join(f"{name} {kind}" for name, kind in {"id": "bigint", **kinds}.items())
    with connected(server, database) as connection:
        cursor = connection.cursor()
        cursor.execute(f"CREATE TABLE {table} ({columns})")
        if mysql:
            cursor.executemany(f"INSERT INTO {table} VALUES ({', '.join(['%s'] * (len(types) + 1))})", rows)
        else:
            text = io.StringIO()
            csv.writer(text).writerows(rows)
            stream = io.BytesIO(text.getvalue().encode())
            cursor.execute(f"COPY {table} FROM STDIN (FORMAT csv)", stream=stream)
