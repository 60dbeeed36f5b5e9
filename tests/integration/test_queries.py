"""Rows of real PostgreSQL and MariaDB servers as the data of a pipeline."""

from __future__ import annotations

import csv
import gzip
import importlib.resources
import json
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import apache_beam as beam
import pyarrow as pa
import pytest
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from pyarrow import parquet
from tfx.dsl.components.base import base_beam_executor
from tfx.types import standard_artifacts
from tfx.types import standard_component_specs as keys
from tfx.utils import proto_utils

from components.example_gen.component import ExampleGen
from components.example_gen.driver import Driver
from components.example_gen.executor import Executor
from components.queries.query_result import query_result
from configs.data import Data
from configs.load import load_settings
from configs.query import Query
from schemas.errors import DataError, ScalableTFError
from schemas.features import FeatureTable
from schemas.raw_columns import RawColumns
from tests.integration.command_server import CommandServer
from tests.integration.query_tables import execute, load_csv
from tests.integration.servers import PASSWORD, PASSWORD_VARIABLE, ROOT, Mysql, Postgres, Server
from tests.integration.trips import write_trips

pytestmark = pytest.mark.slow

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


@pytest.fixture(params=["mysql", "postgres"])
def server(request: pytest.FixtureRequest) -> Server:
    """Each of the database servers."""
    found: Server = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def database(request: pytest.FixtureRequest) -> str:
    """A name that no other test has."""
    return request.node.name.split("[")[0][-40:].strip("_")


@pytest.fixture
def trips(server: Server, database: str) -> str:
    """The URL of a database with three trips."""
    url = server.create(database)
    execute(server, database, *TRIPS)
    return url


def _query(url: str, text: str = SELECT, **more: Any) -> Query:
    return Query.model_validate({"url": url, "text": text, **more})


def _read(query: Query, folder: Path, span: int | None = None, table: FeatureTable = TABLE) -> Path:
    return query_result(query, span, RawColumns.of(table), folder, ENVIRONMENT)


def _rows(folder: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = parquet.read_table(folder).to_pylist()
    return rows


def _refused(query: Query, folder: Path, span: int | None = None, table: FeatureTable = TABLE) -> ScalableTFError:
    """The error, after which nothing is left that a later run would take, and which tells no password."""
    with pytest.raises(ScalableTFError) as caught:
        _read(query, folder, span, table)
    assert sorted(os.listdir(folder) if folder.exists() else []) in ([], [".lock"])
    assert PASSWORD not in str(caught.value)
    return caught.value


def test_three_trips(trips: str, tmp_path: Path) -> None:
    assert _rows(_read(_query(trips), tmp_path)) == [
        {"fare": 1.5, "payment": "Cash", "tips": "0.00"},
        {"fare": None, "payment": "Card", "tips": "2.50"},
        {"fare": 7.0, "payment": None, "tips": "1.25"},
    ]


def test_a_date_is_bound(trips: str, tmp_path: Path) -> None:
    text = "SELECT * FROM trips WHERE day = {YYYY}-{MM}-{DD} -- one of '{'\n;"
    folder = _read(_query(trips, text), tmp_path, span=18263)
    assert [row["fare"] for row in _rows(folder)] == [7.0]


def test_a_number_is_bound(trips: str, tmp_path: Path) -> None:
    text = "SELECT * FROM trips WHERE id < {SPAN} AND {SPAN} = 3 ORDER BY id"
    assert [row["fare"] for row in _rows(_read(_query(trips, text), tmp_path, span=3))] == [1.5, None]
