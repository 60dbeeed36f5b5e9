"""A query that is killed, or for whose rows there is no room, leaves nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from components.queries.query_result import query_result
from schemas.raw_columns import RawColumns
from schemas.storage_error import storage_error
from tests.integration.command_server import ROOT
from tests.integration.queries.query_reading import (
    ENVIRONMENT,
    TABLE,
    TRIPS,
    read_result,
    rows_of,
    trips_query,
)
from tests.integration.query_tables import execute
from tests.integration.servers.postgres import Postgres

pytestmark = pytest.mark.slow


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
    arguments = [trips_query(url, endless).model_dump_json(), RawColumns.of(TABLE).model_dump_json(), str(tmp_path)]
    process = subprocess.Popen([sys.executable, "-c", READER, *arguments], cwd=ROOT, env={**os.environ, **ENVIRONMENT})
    staged = tmp_path / ".staging-new" / "rows-00000.parquet"
    while not staged.exists() and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert staged.exists()
    folder = read_result(trips_query(url), tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".lock", folder.name]
    assert len(rows_of(folder)) == 3


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
        query_result(trips_query(trips, f"{rows} SELECT {wide} FROM n"), None, table, small_disk, ENVIRONMENT)
    told = storage_error(caught.value, small_disk)
    assert told is not None
    assert told.what == "The disk is full."
    assert sorted(os.listdir(small_disk)) == [".lock"]
