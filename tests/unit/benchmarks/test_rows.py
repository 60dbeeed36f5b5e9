from __future__ import annotations

import csv
from datetime import datetime, timezone
from pathlib import Path

import numpy as np
import pytest

from benchmarks.rows import SAMPLE_ROWS, sample_path, write_rows
from schemas.errors import DataError

pytestmark = pytest.mark.slow

_MOVED = {"trip_start_timestamp", "trip_miles", "trip_seconds", "fare", "tips"}
_ROWS = 60_000  # more than a block


def _read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def sample() -> list[dict[str, str]]:
    return _read(sample_path())


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("rows") / "rows.csv"
    write_rows(path, _ROWS, seed=7)
    return path


@pytest.fixture(scope="module")
def rows(written: Path) -> list[dict[str, str]]:
    return _read(written)


def _labels(rows: list[dict[str, str]]) -> np.ndarray:
    fare, tips = (np.array([float(row[name]) for row in rows], np.float32) for name in ("fare", "tips"))
    return tips > np.float32(0.2) * fare


def test_the_sample_is_copied_byte_for_byte(tmp_path: Path) -> None:
    write_rows(tmp_path / "rows.csv", SAMPLE_ROWS)

    assert (tmp_path / "rows.csv").read_bytes() == sample_path().read_bytes()


def test_the_sample_has_the_rows_that_are_stated(sample: list[dict[str, str]]) -> None:
    assert len(sample) == SAMPLE_ROWS


def test_number_of_rows_and_columns(rows: list[dict[str, str]], sample: list[dict[str, str]]) -> None:
    assert len(rows) == _ROWS
    assert list(rows[0]) == list(sample[0])


def test_the_same_seed_gives_the_same_bytes(written: Path, tmp_path: Path) -> None:
    write_rows(tmp_path / "again.csv", _ROWS, seed=7)

    assert (tmp_path / "again.csv").read_bytes() == written.read_bytes()


def test_another_seed_gives_other_rows(tmp_path: Path) -> None:
    for seed in (1, 2):
        write_rows(tmp_path / f"{seed}.csv", 10, seed)

    assert (tmp_path / "1.csv").read_bytes() != (tmp_path / "2.csv").read_bytes()


def test_what_is_not_moved_comes_from_one_row_of_the_sample(
    rows: list[dict[str, str]], sample: list[dict[str, str]]
) -> None:
    def kept(row: dict[str, str]) -> tuple[str, ...]:
        return tuple(value for name, value in row.items() if name not in _MOVED)

    assert {kept(row) for row in rows} <= {kept(row) for row in sample}


def test_missing_values_keep_their_share(rows: list[dict[str, str]], sample: list[dict[str, str]]) -> None:
    for name in sample[0]:
        was, now = (np.mean([row[name] == "" for row in table]) for table in (sample, rows))
        assert now == pytest.approx(was, abs=0.01), name


def test_columns_keep_their_type(rows: list[dict[str, str]], sample: list[dict[str, str]]) -> None:
    def whole(table: list[dict[str, str]]) -> set[str]:
        return {name for name in table[0] if all(row[name].isdigit() for row in table if row[name])}

    assert whole(rows) == whole(sample)


def test_the_hour_stays_true(rows: list[dict[str, str]]) -> None:
    for row in rows[:1000]:
        moment = datetime.fromtimestamp(int(row["trip_start_timestamp"]), timezone.utc)
        day = moment.isoweekday() % 7 + 1
        assert (row["trip_start_month"], row["trip_start_day"]) == (str(moment.month), str(day))
        assert row["trip_start_hour"] == str(moment.hour)


def test_amounts_keep_their_mean(rows: list[dict[str, str]], sample: list[dict[str, str]]) -> None:
    for name in ("fare", "tips", "trip_seconds"):
        was, now = (np.mean([float(row[name]) for row in table if row[name]]) for table in (sample, rows))
        assert now == pytest.approx(was, rel=0.03), name


def test_labels_keep_their_share(rows: list[dict[str, str]], sample: list[dict[str, str]]) -> None:
    assert _labels(rows).mean() == pytest.approx(_labels(sample).mean(), abs=0.01)


def test_rows_are_distinct(rows: list[dict[str, str]]) -> None:
    assert len({tuple(row.values()) for row in rows}) > 0.99 * _ROWS


def test_no_rows(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="at least one row"):
        write_rows(tmp_path / "rows.csv", 0)
