"""Rows of real PostgreSQL and MariaDB servers as the data of a pipeline."""

from __future__ import annotations

import contextlib
import csv
import gzip
import importlib.resources
import itertools
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
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
from components.queries.keep_alive import SECONDS
from components.queries.mysql_row import read_row
from components.queries.query_result import READ_SECONDS, query_result
from components.queries.result_files import ResultFiles
from configs.data import Data
from configs.load import load_settings
from configs.query import Query
from schemas.errors import ScalableTFError
from schemas.features import FeatureTable
from schemas.raw_columns import RawColumns
from schemas.storage_error import storage_error
from tests.integration.command_server import CommandServer
from tests.integration.query_tables import execute, load_csv
from tests.integration.relay import relay
from tests.integration.servers import PASSWORD, PASSWORD_VARIABLE, ROOT, Mysql, Postgres, Server, certificate
from tests.integration.trips import write_trips

pytestmark = pytest.mark.slow

_NUMBERS = itertools.count()
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
def database() -> str:
    """A name that no other test has."""
    return f"queries_{next(_NUMBERS)}"


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
    rows = _rows(_read(_query(server.create(database), text), tmp_path, table=table))
    found = [rows[0][name] for name in "abcdefghijk"]
    assert ["nan" if value != value else value for value in found] == expected
    assert rows[1:] in ([], [{"a": 2, **dict.fromkeys("bcdefghijk")}])


def test_a_column_without_values_in_a_table_of_one(postgres: Postgres, database: str, tmp_path: Path) -> None:
    table = RawColumns(columns={"a": "string"}, readers={"a": "a feature"}, label=TABLE.label)
    text = "SELECT CAST(a AS text) AS a FROM (VALUES (1, NULL), (2, ''), (3, '1')) AS rows(id, a) ORDER BY id"
    query = _query(postgres.create(database), text)
    rows = _rows(query_result(query, None, table, tmp_path, ENVIRONMENT))
    assert rows == [{"a": None}, {"a": ""}, {"a": "1"}]


def _many(joins: int, width: int) -> str:
    """Reads 3 ** (joins + 1) rows of so many bytes."""
    cross = " ".join(f"CROSS JOIN trips AS t{number}" for number in range(joins))
    return f"SELECT trips.fare, REPEAT('x', {width}) AS payment, trips.tips FROM trips {cross}"


def test_rows_are_written_some_at_a_time(trips: str, tmp_path: Path) -> None:
    (file,) = _read(_query(trips, _many(8, 1000)), tmp_path).glob("*.parquet")
    metadata = parquet.ParquetFile(file).metadata
    groups = [metadata.row_group(number).num_rows for number in range(metadata.num_row_groups)]
    assert sum(groups) == 3**9
    assert max(groups) < 6000


def test_the_same_rows_in_another_order_are_the_same_result(
    server: Server, database: str, trips: str, tmp_path: Path
) -> None:
    query = _query(trips, "SELECT fare, payment, tips FROM trips")
    first = _read(query, tmp_path)
    rows = _rows(first)
    again = "INSERT INTO trips VALUES (1, '2020-01-01', 1.5, 'Cash', 0)"
    execute(server, database, "DELETE FROM trips WHERE id = 1", again)
    assert _read(query, tmp_path) == first
    assert _rows(first) == rows


def test_the_newest_result_of_a_query_is_kept_and_what_others_may_be_reading(
    server: Server, database: str, trips: str, tmp_path: Path
) -> None:
    other = _read(_query(trips, SELECT.replace("id", "tips")), tmp_path)
    first = _read(_query(trips), tmp_path)
    execute(server, database, "INSERT INTO trips VALUES (4, '2020-01-03', 2, 'Cash', 0)")
    second = _read(_query(trips), tmp_path)
    assert first != second
    assert len(_rows(first)) == 3
    for folder in (other, first, second):
        os.utime(folder, (0, time.time() - READ_SECONDS - 60))
    assert _read(_query(trips), tmp_path) == second
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([".lock", other.name, second.name])


def test_a_column_of_arrays_is_refused_only_where_it_is_read(postgres: Postgres, database: str, tmp_path: Path) -> None:
    url = postgres.create(database)
    text = "SELECT 1.5 AS fare, ARRAY['a'] AS payment, 2 AS tips"
    error = _refused(_query(url, text), tmp_path)
    assert str(error) == (
        "Column 'payment' holds several values in a row; a column has one at most. It is read by feature 'payment'.\n"
        f"  Where: data.query, postgresql://ml@127.0.0.1:{postgres.port}/{database}\n"
        "  Received: an array of text\n"
        "  Fix: Select each of them as a column of its own, or make text of it."
    )
    unread = "SELECT 1.5 AS fare, ARRAY['a'] AS tags, 'Cash' AS payment, 2 AS tips"
    assert _rows(_read(_query(url, unread), tmp_path)) == [{"fare": "1.5", "payment": "Cash", "tips": 2}]


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
    assert what in _refused(_query(trips, text), tmp_path).what


def test_nothing_can_be_written(server: Server, database: str, trips: str, tmp_path: Path) -> None:
    execute(server, database, "CREATE SEQUENCE numbers")
    text = "SELECT fare, payment, nextval('numbers') AS tips FROM trips"
    text = text.replace("'", "") if isinstance(server, Mysql) else text
    assert _refused(_query(trips, text), tmp_path).what == "The query would change the database."


def test_a_change_in_a_with_clause(postgres: Postgres, database: str, tmp_path: Path) -> None:
    url = postgres.create(database)
    execute(postgres, database, *TRIPS)
    text = "WITH gone AS (DELETE FROM trips RETURNING *) SELECT * FROM gone"
    assert _refused(_query(url, text), tmp_path).what == "The query would change the database."
    assert len(_rows(_read(_query(url), tmp_path))) == 3


def test_the_time_is_over(server: Server, trips: str, tmp_path: Path) -> None:
    sleep = "SLEEP(600)" if isinstance(server, Mysql) else "CAST(pg_sleep(600) AS text)"
    text = f"SELECT fare, payment, {sleep} AS tips FROM trips"
    assert _refused(_query(trips, text, timeout_seconds=0.2), tmp_path).what == "The query takes too long."


@pytest.mark.parametrize("most", [20_000, 6_000_000], ids=["before the first batch", "between batches"])
def test_the_time_is_over_on_a_silent_network(server: Server, trips: str, tmp_path: Path, most: int) -> None:
    with relay(server.port, most) as port:
        query = _query(trips.replace(f":{server.port}", f":{port}"), _many(9, 2000), timeout_seconds=3)
        assert _refused(query, tmp_path).what == "The query takes too long."


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
    assert _refused(_query(url, _many(4, 1), timeout_seconds=0.5), tmp_path).what == "The query takes too long."
    assert next(rows) <= 11


def _idle(port: int) -> list[int]:
    """For each connection to a port after how many silent seconds the kernel asks for the other side; 0: never."""
    found = []
    for name in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):  # which is no socket, or not connected
            connection = socket.socket(fileno=int(name))
            try:
                if connection.getpeername()[1:2] == (port,):
                    kept = connection.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
                    found.append(kept * connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE))
            finally:
                connection.detach()
    return found


def test_a_server_that_is_gone_is_noticed_without_a_limit(
    server: Server, trips: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, idle = ResultFiles.write, list[int]()

    def write_and_look(files: ResultFiles, batch: pa.RecordBatch) -> None:
        idle.extend(_idle(server.port))
        write(files, batch)

    monkeypatch.setattr(ResultFiles, "write", write_and_look)
    _read(_query(trips), tmp_path)
    assert idle
    assert all(0 < seconds < SECONDS for seconds in idle)


def _accounts(server: Server, url: str) -> dict[str, tuple[str, str, str]]:
    """By fault: a URL, what is said, and a part of the rest."""
    nobody = url.replace("ml:", "nobody:")
    return {
        "the password": (url.replace(PASSWORD_VARIABLE, "WRONG"), "refuses the user or the password", "variable WRONG"),
        "the user": (nobody, "refuses the user or the password", "nobody, with the password from the variable"),
        "the database": (f"{url}s", "The database does not exist.", "Mend its name"),
        "the host": (url.replace("127.0.0.1", "nowhere.invalid"), "cannot be reached", "nowhere.invalid"),
        "the port": (url.replace(f":{server.port}", ":1"), "cannot be reached", "127.0.0.1:1"),
        "the permission": (url.replace("ml:", "poor:"), "The user may not read this.", "Grant SELECT"),
    }


FAULTS = ("the password", "the user", "the database", "the host", "the port", "the permission")


@pytest.mark.parametrize("fault", FAULTS)
def test_a_user_who_does_not_get_in(
    fault: str, server: Server, database: str, trips: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(ENVIRONMENT, "WRONG", "hunter2")
    if fault == "the permission" and isinstance(server, Mysql):
        execute(server, database, f"CREATE USER poor@'%' IDENTIFIED BY '{PASSWORD}'")
    elif fault == "the permission":
        execute(server, database, f"CREATE USER poor PASSWORD '{PASSWORD}'")
    url, what, more = _accounts(server, trips)[fault]
    error = _refused(_query(url), tmp_path)
    assert what in error.what
    assert more in str(error)
    assert "hunter2" not in str(error)


def test_a_password_file(server: Server, trips: str, tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text(f"{PASSWORD}\n")
    url = trips.replace(f":${{{PASSWORD_VARIABLE}}}", "")
    assert _rows(_read(_query(f"{url}?password_file={file}"), tmp_path / "kept"))


def test_tls(server: Server, database: str, trips: str, tmp_path: Path) -> None:
    verified = (
        f"ssl_ca={server.tls.certificate}&ssl_verify_server_cert=true"
        if isinstance(server, Mysql)
        else f"sslmode=verify-full&sslrootcert={server.tls.certificate}"
    )
    assert _rows(_read(_query(f"{trips}?{verified}"), tmp_path / "kept"))
    other = verified.replace(str(server.tls.certificate), str(certificate(tmp_path).certificate))
    error = _refused(_query(f"{trips}?{other}"), tmp_path / "other")
    assert error.what == "TLS to the database failed."


def test_a_server_that_asks_for_tls(server: Server, trips: str, tmp_path: Path) -> None:
    url = trips.replace("ml:", f"{server.create_tls_user()}:")
    if isinstance(server, Mysql):  # PyMySQL 1.2 encrypts by itself where the server can
        given = "ssl_ca="
    else:
        given = "sslrootcert="
        error = _refused(_query(f"{url}?sslmode=disable"), tmp_path)
        assert error.what == "The user may not read this."
        assert "TLS" in error.fix
    assert _rows(_read(_query(f"{url}?{given}{server.tls.certificate}"), tmp_path))


def test_the_server_goes_away_on_the_way(
    server: Server, database: str, trips: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = ResultFiles.write

    def write_and_cut(files: ResultFiles, batch: pa.RecordBatch) -> None:
        write(files, batch)
        if isinstance(server, Mysql):
            server.drop_connections(database)
        else:
            end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'scalable-tf'"
            execute(server, database, end)

    with monkeypatch.context() as patched:
        patched.setattr(ResultFiles, "write", write_and_cut)
        error = _refused(_query(trips, _many(9, 2000)), tmp_path)
    assert error.what == "The connection to the database was lost while the query was read."
    assert len(_rows(_read(_query(trips), tmp_path))) == 3


READER = """
import os, sys
from pathlib import Path
from components.queries.query_result import query_result
from configs.query import Query
from schemas.raw_columns import RawColumns
query, table = Query.model_validate_json(sys.argv[1]), RawColumns.model_validate_json(sys.argv[2])
query_result(query, None, table, Path(sys.argv[3]), os.environ)
"""


def test_a_kill_in_the_middle_leaves_nothing(postgres: Postgres, database: str, tmp_path: Path) -> None:
    url = postgres.create(database)
    execute(postgres, database, *TRIPS)
    # Some MiB at once, and the rest not for a while.
    endless = (
        "SELECT fare, repeat('x', 1000) AS payment, tips FROM trips, generate_series(1, 3000) UNION ALL "
        "SELECT 1, 'x', 1 FROM pg_sleep(600)"
    )
    arguments = [_query(url, endless).model_dump_json(), RawColumns.of(TABLE).model_dump_json(), str(tmp_path)]
    process = subprocess.Popen([sys.executable, "-c", READER, *arguments], cwd=ROOT, env={**os.environ, **ENVIRONMENT})
    staged = tmp_path / ".staging-new" / "rows-00000.parquet"
    while not staged.exists() and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert staged.exists()
    folder = _read(_query(url), tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".lock", folder.name]
    assert len(_rows(folder)) == 3


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
    query = _query(url, "SELECT * FROM trips ORDER BY id")
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


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of one MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if os.geteuid() != 0:
        pytest.skip("only root may mount a small disk")
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    mounted = subprocess.run(mount, capture_output=True, text=True)
    if mounted.returncode:
        pytest.skip(f"no disk can be mounted here: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk(trips: str, small_disk: Path) -> None:
    rows = "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 300) "
    wide = ", ".join(f"CAST(n * {number} + 0.5 AS DECIMAL(20, 4)) AS x{number}" for number in range(1000))
    table = RawColumns(
        columns={f"x{number}": "float" for number in range(1000)},
        readers={f"x{number}": "a feature" for number in range(1000)},
        label=TABLE.label,
    )
    with pytest.raises(OSError, match="No space left") as caught:
        query_result(_query(trips, f"{rows} SELECT {wide} FROM n"), None, table, small_disk, ENVIRONMENT)
    told = storage_error(caught.value, small_disk)
    assert told is not None
    assert told.what == "The disk is full."
    assert sorted(os.listdir(small_disk)) == [".lock"]
