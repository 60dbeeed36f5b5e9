"""Queries that are refused: nothing is left of them, and no password is told."""

from __future__ import annotations

import itertools
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from components.queries.mysql_row import read_row
from tests.integration.queries.query_reading import (
    TRIPS,
    many_rows,
    read_result,
    refused,
    rows_of,
    trips_query,
)
from tests.integration.query_tables import execute
from tests.integration.servers.database_server import Server
from tests.integration.servers.mysql import Mysql
from tests.integration.servers.postgres import Postgres

pytestmark = pytest.mark.slow


def test_a_column_of_arrays_is_refused_only_where_it_is_read(postgres: Postgres, database: str, tmp_path: Path) -> None:
    url = postgres.create(database)
    text = "SELECT 1.5 AS fare, ARRAY['a'] AS payment, 2 AS tips"
    error = refused(trips_query(url, text), tmp_path)
    assert str(error) == (
        "Column 'payment' holds several values in a row; a column has one at most. It is read by feature 'payment'.\n"
        f"  Where: data.query, postgresql://ml@127.0.0.1:{postgres.port}/{database}\n"
        "  Received: an array of text\n"
        "  Fix: Select each of them as a column of its own, or make text of it."
    )
    unread = "SELECT 1.5 AS fare, ARRAY['a'] AS tags, 'Cash' AS payment, 2 AS tips"
    assert rows_of(read_result(trips_query(url, unread), tmp_path)) == [{"fare": "1.5", "payment": "Cash", "tips": 2}]


REFUSED: Mapping[str, tuple[str, str]] = {
    "the table": ("SELECT * FROM nowhere", "The query names something that is not there."),
    "the column": ("SELECT nothing FROM trips", "The query names something that is not there."),
    "the feature's column": ("SELECT fare, tips, payment AS payments FROM trips", "Column 'payment' is missing"),
    "a column twice": ("SELECT fare, tips, payment, fare FROM trips", "Column 'fare' is there more than once"),
    "the words": ("SELECT FROM WHERE", "The database does not understand the query."),
    "two statements": ("SELECT 1; DROP TABLE trips", "The query holds several statements."),
    "no SELECT": ("DELETE FROM trips", "The query is not a SELECT."),
    "INTO": ("SELECT * INTO OUTFILE '/tmp/x' FROM trips", "The query would write."),
    "no rows": ("SELECT * FROM trips WHERE id = 0", "The query gives no row."),
}


@pytest.mark.parametrize("fault", REFUSED)
def test_queries_that_are_refused(fault: str, trips: str, tmp_path: Path) -> None:
    text, what = REFUSED[fault]
    assert what in refused(trips_query(trips, text), tmp_path).what


def test_nothing_can_be_written(server: Server, database: str, trips: str, tmp_path: Path) -> None:
    execute(server, database, "CREATE SEQUENCE numbers")
    text = "SELECT fare, payment, nextval('numbers') AS tips FROM trips"
    text = text.replace("'", "") if isinstance(server, Mysql) else text
    assert refused(trips_query(trips, text), tmp_path).what == "The query would change the database."


def test_a_change_in_a_with_clause(postgres: Postgres, database: str, tmp_path: Path) -> None:
    url = postgres.create(database)
    execute(postgres, database, *TRIPS)
    text = "WITH gone AS (DELETE FROM trips RETURNING *) SELECT * FROM gone"
    assert refused(trips_query(url, text), tmp_path).what == "The query would change the database."
    assert len(rows_of(read_result(trips_query(url), tmp_path))) == 3


def test_the_time_is_over(server: Server, trips: str, tmp_path: Path) -> None:
    sleep = "SLEEP(600)" if isinstance(server, Mysql) else "CAST(pg_sleep(600) AS text)"
    text = f"SELECT fare, payment, {sleep} AS tips FROM trips"
    assert refused(trips_query(trips, text, timeout_seconds=0.2), tmp_path).what == "The query takes too long."


def test_the_time_is_over_within_a_batch(
    mysql: Mysql, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = mysql.create(database)
    execute(mysql, database, *TRIPS)
    rows = itertools.count(1)

    def read_slowly(packet: Any) -> list[bytes | None]:
        if next(rows) == 10:
            time.sleep(0.6)
        return read_row(packet)

    monkeypatch.setattr("components.queries.mysql.read_row", read_slowly)
    assert refused(trips_query(url, many_rows(4, 1), timeout_seconds=0.5), tmp_path).what == "The query takes too long."
    assert next(rows) <= 11
