"""Rows of real PostgreSQL and MariaDB servers as the data of a pipeline."""

from __future__ import annotations

import csv
import gzip
import importlib.resources
import json
import os
import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import apache_beam as beam
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
from components.queries.query_result import READ_SECONDS, query_result
from configs.data import Data
from configs.load import load_settings
from schemas.features import FeatureTable
from schemas.raw_columns import RawColumns
from tests.integration.command_server import ROOT, CommandServer
from tests.integration.queries.query_reading import (
    ENVIRONMENT,
    SELECT,
    TABLE,
    many_rows,
    read_result,
    rows_of,
    trips_query,
)
from tests.integration.query_tables import execute, load_csv
from tests.integration.servers.database_server import PASSWORD, PASSWORD_VARIABLE, Server
from tests.integration.servers.postgres import Postgres
from tests.integration.trips import write_trips

pytestmark = pytest.mark.slow


def test_three_trips(trips: str, tmp_path: Path) -> None:
    assert rows_of(read_result(trips_query(trips), tmp_path)) == [
        {"fare": 1.5, "payment": "Cash", "tips": "0.00"},
        {"fare": None, "payment": "Card", "tips": "2.50"},
        {"fare": 7.0, "payment": None, "tips": "1.25"},
    ]


def test_a_date_is_bound(trips: str, tmp_path: Path) -> None:
    text = "SELECT * FROM trips WHERE day = {YYYY}-{MM}-{DD} -- one of '{'\n;"
    folder = read_result(trips_query(trips, text), tmp_path, span=18263)
    assert [row["fare"] for row in rows_of(folder)] == [7.0]


def test_a_number_is_bound(trips: str, tmp_path: Path) -> None:
    text = "SELECT * FROM trips WHERE id < {SPAN} AND {SPAN} = 3 ORDER BY id"
    assert [row["fare"] for row in rows_of(read_result(trips_query(trips, text), tmp_path, span=3))] == [1.5, None]


TYPED: Mapping[str, tuple[str, list[Any]]] = {
    "postgres": (
        "SELECT * FROM (VALUES (1, 9223372036854775807, 'NaN'::float8, true, '\\x00ff'::bytea, 'infinity'::date, "
        "'2020-01-31 12:00:00+02'::timestamptz, 12345678901234567890.10::numeric, '{\"a\": 1}'::jsonb, "
        "'00000000-0000-0000-0000-000000000001'::uuid, E'a\"b\\n,c'), "
        "(2, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)) AS rows(a, b, c, d, e, f, g, h, i, j, k)",
        [
            *(1, 2**63 - 1, "nan", True, b"\x00\xff", "infinity", "2020-01-31 10:00:00Z", "12345678901234567890.10"),
            *('{"a": 1}', "00000000-0000-0000-0000-000000000001", 'a"b\n,c'),
        ],
    ),
    "mysql": (
        "SELECT 1 AS a, 18446744073709551615 AS b, 1.5e0 AS c, TRUE AS d, x'00ff' AS e, DATE '9999-12-31' AS f, "
        "TIMESTAMP '2020-01-31 10:00:00' AS g, 12345678901234567890.10 AS h, JSON_OBJECT('a', 1) AS i, b'101' AS j, "
        "'a\\\"b\\n,c' AS k",
        [
            *(1, 2**64 - 1, 1.5, 1, b"\x00\xff", "9999-12-31", "2020-01-31 10:00:00", "12345678901234567890.10"),
            *('{"a": 1}', b"\x05", 'a"b\n,c'),
        ],
    ),
}


def test_types(server: Server, database: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    text, expected = TYPED[request.node.callspec.params["server"]]
    features = {name: {"kind": "categorical"} for name in "bcdefghijk"}
    table = FeatureTable.model_validate({"features": features, "label": {"kind": "binary", "expression": "a > 1"}})
    rows = rows_of(read_result(trips_query(server.create(database), text), tmp_path, table=table))
    found = [rows[0][name] for name in "abcdefghijk"]
    assert ["nan" if value != value else value for value in found] == expected
    assert rows[1:] in ([], [{"a": 2, **dict.fromkeys("bcdefghijk")}])


def test_a_column_without_values_in_a_table_of_one(postgres: Postgres, database: str, tmp_path: Path) -> None:
    table = RawColumns(columns={"a": "string"}, readers={"a": "a feature"}, label=TABLE.label)
    text = "SELECT CAST(a AS text) AS a FROM (VALUES (1, NULL), (2, ''), (3, '1')) AS rows(id, a) ORDER BY id"
    query = trips_query(postgres.create(database), text)
    rows = rows_of(query_result(query, None, table, tmp_path, ENVIRONMENT))
    assert rows == [{"a": None}, {"a": ""}, {"a": "1"}]


def test_rows_are_written_some_at_a_time(trips: str, tmp_path: Path) -> None:
    (file,) = read_result(trips_query(trips, many_rows(8, 1000)), tmp_path).glob("*.parquet")
    metadata = parquet.ParquetFile(file).metadata
    groups = [metadata.row_group(number).num_rows for number in range(metadata.num_row_groups)]
    assert sum(groups) == 3**9
    assert max(groups) < 6000


def test_the_same_rows_in_another_order_are_the_same_result(
    server: Server, database: str, trips: str, tmp_path: Path
) -> None:
    query = trips_query(trips, "SELECT fare, payment, tips FROM trips")
    first = read_result(query, tmp_path)
    rows = rows_of(first)
    again = "INSERT INTO trips VALUES (1, '2020-01-01', 1.5, 'Cash', 0)"
    execute(server, database, "DELETE FROM trips WHERE id = 1", again)
    assert read_result(query, tmp_path) == first
    assert rows_of(first) == rows


def test_the_newest_result_of_a_query_is_kept_and_what_others_may_be_reading(
    server: Server, database: str, trips: str, tmp_path: Path
) -> None:
    other = read_result(trips_query(trips, SELECT.replace("id", "tips")), tmp_path)
    first = read_result(trips_query(trips), tmp_path)
    execute(server, database, "INSERT INTO trips VALUES (4, '2020-01-03', 2, 'Cash', 0)")
    second = read_result(trips_query(trips), tmp_path)
    assert first != second
    assert len(rows_of(first)) == 3
    for folder in (other, first, second):
        os.utime(folder, (0, time.time() - READ_SECONDS - 60))
    assert read_result(trips_query(trips), tmp_path) == second
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([".lock", other.name, second.name])


def _examples(data: Data, table: FeatureTable, folder: Path) -> dict[str, bytes]:
    """The files that ExampleGen writes, unpacked."""
    component = ExampleGen(data, table, str(folder / "prepared"))
    properties = {
        key: value if isinstance(value, (str, int)) else proto_utils.proto_to_json(value)
        for key, value in component.exec_properties.items()
        if value is not None
    }
    resolved = Driver(None).resolve_exec_properties(properties, None, None)
    assert PASSWORD not in json.dumps(resolved)
    examples = standard_artifacts.Examples()
    examples.uri = str(folder / "examples")
    context = base_beam_executor.BaseBeamExecutor.Context(
        make_beam_pipeline_fn=lambda: beam.Pipeline(runner=FnApiRunner())
    )
    Executor(context).Do({}, {keys.EXAMPLES_KEY: [examples]}, resolved)
    return {path.parent.name: gzip.decompress(path.read_bytes()) for path in (folder / "examples").glob("Split-*/*.gz")}


def test_the_taxi_trips_give_the_examples_of_their_csv(
    server: Server, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(PASSWORD_VARIABLE, PASSWORD)
    table = load_settings([ROOT / "configs" / "taxi.yaml"]).table
    shipped = importlib.resources.files("tfx") / "examples/chicago_taxi_pipeline/data/simple/data.csv"
    file = tmp_path / "trips.csv"
    with shipped.open(newline="") as read, file.open("w", newline="") as written:
        writer = csv.DictWriter(written, list(table.columns), extrasaction="ignore")
        writer.writeheader()
        writer.writerows(csv.DictReader(read))
    kinds = {"float": "double precision", "int": "bigint", "string": "text"}
    url = server.create(database)
    load_csv(server, database, "trips", file, {name: kinds[kind] for name, kind in table.columns.items()})

    expected = _examples(Data(path=str(file)), table, tmp_path / "csv")
    query = trips_query(url, "SELECT * FROM trips ORDER BY id")
    found = _examples(Data(source="sql", query=query), table, tmp_path / "sql")
    assert set(expected) == {"Split-train", "Split-eval"}
    assert found == expected


_CACHED = re.compile(r"^ *ExampleGen +cached", re.MULTILINE)


def test_a_run_is_cached_until_a_row_changes(
    commands: CommandServer, server: Server, database: str, trips: str, tmp_path: Path
) -> None:
    file = write_trips(tmp_path)
    types = dict.fromkeys(("fare", "miles", "tips"), "double precision") | {"payment": "text"}
    load_csv(server, database, "rides", tmp_path / "data.csv", types)
    query = f"{{url: '{trips}', text: SELECT * FROM rides ORDER BY id}}"
    file.write_text(file.read_text().replace(f"path: {tmp_path}/data.csv", f"source: sql, query: {query}"))
    run = ["run", "-c", str(file), "--to", "ExampleGen"]

    def ended(**environment: str) -> tuple[int, str]:
        command = commands.run(run, **environment)
        return command.wait(), command.text

    code, shown = ended(**{PASSWORD_VARIABLE: ""})
    assert (code, "refuses the user or the password" in shown) == (1, True), shown
    code, shown = ended(**{PASSWORD_VARIABLE: "hunter2"})
    assert (code, "refuses the user or the password" in shown) == (1, True), shown
    code, shown = ended(**ENVIRONMENT)
    assert (code, _CACHED.search(shown) is not None) == (0, False), shown
    code, shown = ended(**ENVIRONMENT)
    assert (code, _CACHED.search(shown) is not None) == (0, True), shown
    execute(server, database, "UPDATE rides SET fare = 8 WHERE id = 3")
    code, shown = ended(**ENVIRONMENT)
    assert (code, _CACHED.search(shown) is not None) == (0, False), shown
    everything = b"".join(path.read_bytes() for path in (tmp_path / "output").rglob("*") if path.is_file())
    assert PASSWORD.encode() not in everything
    assert b"hunter2" not in everything
