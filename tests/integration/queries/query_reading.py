"""A table of three trips in a database server, and queries of it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from pyarrow import parquet

from components.queries.query_result import query_result
from configs.query import Query
from schemas.errors import ScalableTFError
from schemas.features import FeatureTable
from schemas.raw_columns import RawColumns
from tests.integration.servers.database_server import PASSWORD, PASSWORD_VARIABLE

ENVIRONMENT = {PASSWORD_VARIABLE: PASSWORD}
TABLE = FeatureTable.model_validate(
    {
        "features": {"fare": {"kind": "numeric"}, "payment": {"kind": "categorical"}},
        "label": {"kind": "binary", "expression": "tips > 1"},
    }
)
TRIPS = (
    "CREATE TABLE trips (id int, day date, fare double precision, payment varchar(20), tips numeric(6, 2))",
    "INSERT INTO trips VALUES (1, '2020-01-01', 1.5, 'Cash', 0), (2, '2020-01-01', NULL, 'Card', 2.50), "
    "(3, '2020-01-02', 7, NULL, 1.25)",
)
SELECT = "SELECT fare, payment, tips FROM trips ORDER BY id"


def trips_query(url: str, text: str = SELECT, **more: Any) -> Query:
    return Query.model_validate({"url": url, "text": text, **more})


def read_result(query: Query, folder: Path, span: int | None = None, table: FeatureTable = TABLE) -> Path:
    return query_result(query, span, RawColumns.of(table), folder, ENVIRONMENT)


def rows_of(folder: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = parquet.read_table(folder).to_pylist()
    return rows


def refused(query: Query, folder: Path, span: int | None = None, table: FeatureTable = TABLE) -> ScalableTFError:
    """The error, after which nothing is left that a later run would take, and which tells no password."""
    with pytest.raises(ScalableTFError) as caught:
        read_result(query, folder, span, table)
    assert sorted(os.listdir(folder) if folder.exists() else []) in ([], [".lock"])
    assert PASSWORD not in str(caught.value)
    return caught.value


def many_rows(joins: int, width: int) -> str:
    """Reads 3 ** (joins + 1) rows of so many bytes."""
    cross = " ".join(f"CROSS JOIN trips AS t{number}" for number in range(joins))
    return f"SELECT trips.fare, REPEAT('x', {width}) AS payment, trips.tips FROM trips {cross}"
