"""Rows with faults: left out and listed where they are few, and the end of the run where they are not."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import apache_beam as beam
import pyarrow as pa
import pyarrow.parquet
import pytest
import tensorflow as tf

from components.example_gen.ingest import Ingested, Ingestion, ingest
from components.example_gen.rejected_rows import RejectedRows
from runners.inline import InlineRunner
from schemas.errors import DataError
from schemas.features import FeatureTable
from schemas.raw_columns import RawColumns

SOUND = [f"{fare},{fare % 2},{fare}" for fare in range(40)]


def _table(**label: Any) -> FeatureTable:
    label = label or {"kind": "binary", "expression": "tips > 0.5"}
    return FeatureTable.model_validate({"features": {"fare": {"kind": "numeric"}}, "label": label})


def _ingest(folder: Path, *paths: Path, table: FeatureTable | None = None, **options: Any) -> Ingested:
    ingestion = Ingestion(RawColumns.of(table or _table()), {"train": 2, "eval": 1}, **options)
    make = lambda: beam.Pipeline(runner=InlineRunner())  # noqa: E731
    return ingest([str(path) for path in paths], str(folder / "out"), ingestion, make, folder / "refused.jsonl")


def _csv(path: Path, rows: Sequence[str], header: str = "fare,tips,n") -> Path:
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


def _letters(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def _written(folder: Path) -> int:
    paths = sorted(str(path) for path in folder.glob("out/Split-*/*.gz"))
    return sum(1 for _ in tf.data.TFRecordDataset(paths, "GZIP"))


def test_every_kind_of_fault_is_left_out_and_listed(tmp_path: Path) -> None:
    path = _csv(tmp_path / "a.csv", [*SOUND[:2], "x,1,7", "1,2", '"7', '",,9', *SOUND[2:], "y,z,8"])

    done = _ingest(tmp_path, path, max_rejected_fraction=0.1)

    assert (sum(done.rows.values()), done.rejected, done.dropped) == (40, 4, 0)
    assert _written(tmp_path) == 40
    assert done.types["n"] == "int"
    assert _letters(tmp_path / "out" / "rejected.jsonl") == [
        {"file": str(path), "line": 5, "reasons": ["2 instead of 3 fields"], "values": ["1", "2"]},
        *[
            {"file": str(path), "line": 4, "reasons": ["column 'fare' is not a number: x"]}
            | {"values": {"fare": "x", "tips": "1", "n": "7"}},
            {"file": str(path), "line": 6, "reasons": ["no label: tips is empty"]}
            | {"values": {"fare": "7\n", "tips": None, "n": "9"}},
            {"file": str(path), "line": 46}
            | {"reasons": ["column 'fare' is not a number: y", "column 'tips' is not a number: z"]}
            | {"values": {"fare": "y", "tips": "z", "n": "8"}},
        ],
    ]
    assert not (tmp_path / "refused.jsonl").exists()


def test_a_rejected_row_does_not_widen_a_column(tmp_path: Path) -> None:
    done = _ingest(tmp_path, _csv(tmp_path / "a.csv", [*SOUND, "x,1,not a number"]), max_rejected_fraction=0.1)
    assert done.types["n"] == "int"


def test_rejected_rows_are_found_on_every_block_and_in_files_read_together(tmp_path: Path) -> None:
    files = [_csv(tmp_path / f"{number}.csv", [*SOUND, "x,1,7"]) for number in range(3)]

    done = _ingest(tmp_path, *files, max_rejected_fraction=0.05, block_bytes=150)

    assert (sum(done.rows.values()), done.rejected) == (120, 3)
    assert [(row["file"], row["line"]) for row in _letters(tmp_path / "out" / "rejected.jsonl")] == [
        (str(path), 42) for path in files
    ]


def test_too_many_stop_the_run_and_are_listed_too(tmp_path: Path) -> None:
    path = _csv(tmp_path / "a.csv", [*SOUND, "x,1,7", "1,2", "y,1,8"])

    with pytest.raises(DataError) as caught:
        _ingest(tmp_path, path, max_rejected_fraction=0.05)

    assert "3 of 43 rows are rejected in all, more than the 0.05 of them" in str(caught.value.received)
    assert "data.max_rejected_fraction: 0.070 would leave out all 3 rows with faults" in caught.value.fix
    assert caught.value.fix.endswith(f" {tmp_path / 'refused.jsonl'} lists the rows.")
    assert sorted(row["line"] for row in _letters(tmp_path / "refused.jsonl")) == [42, 43, 44]
    assert os.listdir(tmp_path / "out") == []


def test_by_default_one_row_stops_the_run(tmp_path: Path) -> None:
    path = _csv(tmp_path / "a.csv", [*SOUND, "x,1,7"])

    with pytest.raises(
        DataError, match=r"(?s)'fare' must hold numbers; 1 of its values.*line 42.*: 0\.025 would leave"
    ):
        _ingest(tmp_path, path)

    assert [row["line"] for row in _letters(tmp_path / "refused.jsonl")] == [42]


def test_rows_without_a_label_are_rejected_unless_they_are_to_be_dropped(tmp_path: Path) -> None:
    path = _csv(tmp_path / "a.csv", [*SOUND, "1,,7"])

    done = _ingest(tmp_path, path, max_rejected_fraction=0.05)

    assert (done.rejected, done.dropped) == (1, 0)
    (letter,) = _letters(tmp_path / "out" / "rejected.jsonl")
    assert letter["reasons"] == ["no label: tips is empty"]
    (tmp_path / "dropped").mkdir()
    done = _ingest(tmp_path / "dropped", path, max_rejected_fraction=0.05, drop_unlabelled=True)
    assert (done.rejected, done.dropped) == (0, 1)


def test_unknown_classes_are_rejected_and_do_not_count_as_classes(tmp_path: Path) -> None:
    table = _table(kind="one_hot", column="kind", classes=["cat", "dog"])
    rows = [f"{number},cat" for number in range(39)] + ["1,bird"]

    with pytest.raises(DataError, match="only one class"):
        _ingest(tmp_path, _csv(tmp_path / "a.csv", rows, "fare,kind"), table=table, max_rejected_fraction=0.05)


@pytest.mark.parametrize("bad", [29, 57, 58])
def test_as_many_as_may_be_are_left_out(tmp_path: Path, bad: int) -> None:
    rows = ["x,1,7"] * bad + [f"{number},{number % 2},1" for number in range(100 - bad)]
    assert _ingest(tmp_path, _csv(tmp_path / "a.csv", rows), max_rejected_fraction=bad / 100).rejected == bad


def test_no_fraction_is_suggested_that_cannot_be_set(tmp_path: Path) -> None:
    path = _csv(tmp_path / "a.csv", ["x,1,7"] * 299 + ["1,1,1"])
    with pytest.raises(DataError) as caught:
        _ingest(tmp_path, path)
    assert "max_rejected_fraction" not in caught.value.fix


def test_what_python_cannot_hold_is_listed_as_text(tmp_path: Path) -> None:
    table = FeatureTable.model_validate(
        {
            "features": {"fare": {"kind": "numeric"}, "day": {"kind": "categorical"}},
            "label": {"kind": "binary", "expression": "tips > 0.5"},
        }
    )
    days = pa.array([*range(40), 10_000_000], pa.int32()).cast(pa.date32())
    path = tmp_path / "a.parquet"
    fares = pa.array([*range(40), 1e39], pa.float64())
    pa.parquet.write_table(pa.table({"fare": fares, "tips": [*([0, 1] * 20), 1], "day": days}), path)

    _ingest(tmp_path, path, table=table, source="parquet", max_rejected_fraction=0.05)

    (letter,) = _letters(tmp_path / "out" / "rejected.jsonl")
    assert letter["values"]["day"] == "29349-01-26"


def test_the_column_that_names_the_split_is_listed(tmp_path: Path) -> None:
    rows = [f"{number},{number % 2},{'train' if number % 3 else 'eval'}" for number in range(40)]
    path = _csv(tmp_path / "a.csv", [*rows, "1,1,test"], "fare,tips,fold")
    columns = RawColumns.of(_table(), "fold")
    ingestion = Ingestion(columns, {"train": 1, "eval": 1}, max_rejected_fraction=0.05)

    ingest([str(path)], str(tmp_path / "out"), ingestion, lambda: beam.Pipeline(runner=InlineRunner()))

    (letter,) = _letters(tmp_path / "out" / "rejected.jsonl")
    assert (letter["reasons"], letter["values"]["fold"]) == (["column 'fold' is none of the splits: test"], "test")


def test_rows_of_a_table(tmp_path: Path) -> None:
    fares: list[Any] = [*range(40), 1e39]
    path = tmp_path / "a.parquet"
    pa.parquet.write_table(pa.table({"fare": pa.array(fares, pa.float64()), "tips": [*([0, 1] * 20), 1]}), path)

    done = _ingest(tmp_path, path, source="parquet", max_rejected_fraction=0.05)

    assert (sum(done.rows.values()), done.rejected) == (40, 1)
    assert _letters(tmp_path / "out" / "rejected.jsonl") == [
        {"file": str(path), "row": 41, "reasons": ["column 'fare' is outside the range of float32: 1e+39"]}
        | {"values": {"fare": 1e39, "tips": 1}}
    ]


def test_records(tmp_path: Path) -> None:
    table = FeatureTable.model_validate(
        {
            "features": {"at": {"kind": "timestamp", "dtype": "string"}, "n": {"kind": "numeric", "dtype": "int"}},
            "label": {"kind": "binary", "expression": "y > 0"},
        }
    )
    path = tmp_path / "a.tfrecord"
    with tf.io.TFRecordWriter(str(path)) as writer:
        for number in range(41):
            at = b"2022-02-30" if number == 20 else b"2022-02-20"
            features = {
                "at": tf.train.Feature(bytes_list=tf.train.BytesList(value=[at])),
                "y": tf.train.Feature(float_list=tf.train.FloatList(value=[number % 2])),
                "n": tf.train.Feature(int64_list=tf.train.Int64List(value=[number])),
            }
            writer.write(tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString())

    done = _ingest(tmp_path, path, table=table, source="tfrecord", max_rejected_fraction=0.05)

    assert (sum(done.rows.values()), done.rejected) == (40, 1)
    assert _letters(tmp_path / "out" / "rejected.jsonl") == [
        {"file": str(path), "record": 21, "reasons": ["column 'at' is not ISO 8601: 2022-02-30"]}
        | {"values": {"at": "2022-02-30", "n": 20, "y": 0.0}}
    ]


def test_values_that_json_does_not_have_are_text(tmp_path: Path) -> None:
    with RejectedRows(str(tmp_path / "a.jsonl")) as letters:
        letters.write({"values": {"nan": float("nan"), "bytes": b"a\xff", "list": [1, None, True]}})
    assert _letters(tmp_path / "a.jsonl") == [{"values": {"nan": "nan", "bytes": "a\\xff", "list": [1, None, True]}}]


def test_no_more_rows_than_are_wanted(tmp_path: Path) -> None:
    with RejectedRows(str(tmp_path / "a.jsonl"), most=1) as letters:
        letters.write({"line": 1})
        assert not letters.wanted
        letters.write({"line": 2})
    assert _letters(tmp_path / "a.jsonl") == [{"line": 1}]


def test_rows_that_are_not_written_to_their_end_leave_no_file(tmp_path: Path) -> None:
    with suppress(KeyboardInterrupt), RejectedRows(str(tmp_path / "a.jsonl")) as letters:
        letters.write({"line": 1})
        assert len(list(tmp_path.iterdir())) == 1
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []
