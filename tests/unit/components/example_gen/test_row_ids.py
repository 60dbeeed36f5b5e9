"""Rows to predict for: without a label, in one split, each with the id of its row."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import apache_beam as beam
import pyarrow as pa
import pytest
import tensorflow as tf
from pyarrow import parquet

from components.example_gen.ingest import Ingested, Ingestion, ingest
from components.example_gen.row_ids import common_folder
from components.examples.shard_rows import read_shard
from runners.inline import InlineRunner
from schemas.column_files import shards
from schemas.errors import DataError
from schemas.features import FeatureTable
from schemas.raw_columns import ROW_ID_COLUMN, RawColumns

TABLE = FeatureTable.model_validate(
    {
        "features": {"fare": {"kind": "numeric"}, "company": {"kind": "categorical"}},
        "label": {"kind": "binary", "expression": "tips > 1"},
    }
)


def _ingest(folder: Path, *files: Path, copied: tuple[str, ...] = (), **options: Any) -> Ingested:
    ingestion = Ingestion(RawColumns.to_predict(TABLE, copied), {"all": 1}, **options)
    paths = [str(file) for file in files]
    return ingest(paths, str(folder / "out"), ingestion, lambda: beam.Pipeline(runner=InlineRunner()))


def _rows(folder: Path, column: str = ROW_ID_COLUMN) -> list[Any]:
    """Values of a column in the order of the rows, from the column files and, the same, from the examples."""
    files = shards(str(folder / "out/Split-all"))
    found = [row for file in files for batch in read_shard(file) for row in batch.to_pydict()[column]]
    examples = tf.data.TFRecordDataset(files, "GZIP").as_numpy_iterator()
    stored = [tf.train.Example.FromString(one).features.feature[column] for one in examples]
    assert [list(getattr(one, one.WhichOneof("kind")).value) for one in stored] == found
    return [row[0] if row else None for row in found]


def _write(file: Path, text: str) -> Path:
    file.parent.mkdir(exist_ok=True)
    file.write_text(text)
    return file


def test_the_id_of_a_csv_row_is_its_file_and_line(tmp_path: Path) -> None:
    done = _ingest(tmp_path, _write(tmp_path / "a.csv", "fare,company\n1,x\n2,y\n"))
    assert done.rows == {"all": 2}
    assert _rows(tmp_path) == [b"a.csv:2", b"a.csv:3"]


def test_empty_lines_and_rows_over_several_lines_count(tmp_path: Path) -> None:
    _ingest(tmp_path, _write(tmp_path / "a.csv", 'fare,company\n1,x\n\n2,"y\nz"\n3,w\n'))
    assert _rows(tmp_path) == [b"a.csv:2", b"a.csv:4", b"a.csv:6"]


@pytest.mark.parametrize("block_bytes", [16 << 20, 100])
def test_ids_do_not_depend_on_the_blocks(tmp_path: Path, block_bytes: int) -> None:
    text = "fare,company\n" + "".join(f"{number},x\n" for number in range(100))
    _ingest(tmp_path, _write(tmp_path / "a.csv", text), block_bytes=block_bytes)
    assert (len(shards(str(tmp_path / "out/Split-all"))) > 1) == (block_bytes == 100)
    assert _rows(tmp_path) == [f"a.csv:{line}".encode() for line in range(2, 102)]


def test_files_of_several_folders_are_told_apart(tmp_path: Path) -> None:
    files = []
    for day in ("day-1", "day-2"):
        (tmp_path / "data" / day).mkdir(parents=True)
        files.append(_write(tmp_path / "data" / day / "a.csv", "fare,company\n1,x\n"))
    _ingest(tmp_path, *files)
    assert _rows(tmp_path) == [b"day-1/a.csv:2", b"day-2/a.csv:2"]


def test_rows_of_other_files_are_counted_from_one(tmp_path: Path) -> None:
    table = pa.table({"company": ["x", "y", "z"], "fare": [1.0, 2.0, 3.0]})
    parquet.write_table(table, tmp_path / "a.parquet", row_group_size=2)
    parquet.write_table(table, tmp_path / "b.parquet")
    _ingest(tmp_path, tmp_path / "a.parquet", tmp_path / "b.parquet", source="parquet")
    assert _rows(tmp_path) == [f"{name}.parquet:{number}".encode() for name in "ab" for number in (1, 2, 3)]


def test_records_are_counted_from_one(tmp_path: Path) -> None:
    with tf.io.TFRecordWriter(str(tmp_path / "a.tfrecord")) as writer:
        for fare in (1.0, 2.0):
            example = tf.train.Example()
            example.features.feature["fare"].float_list.value.append(fare)
            example.features.feature["company"].bytes_list.value.append(b"x")
            writer.write(example.SerializeToString())
    _ingest(tmp_path, tmp_path / "a.tfrecord", source="tfrecord")
    assert _rows(tmp_path) == [b"a.tfrecord:1", b"a.tfrecord:2"]


def test_the_id_of_a_json_row_is_its_file_and_line(tmp_path: Path) -> None:
    rows = ('{"fare": 1, "company": "x"}', "", '{"fare": 2, "company": "y"}')
    _ingest(tmp_path, _write(tmp_path / "a.jsonl", "\n".join(rows) + "\n"), source="jsonl")
    assert _rows(tmp_path) == [b"a.jsonl:1", b"a.jsonl:3"]


def test_copied_columns_are_text_unless_a_feature_reads_them(tmp_path: Path) -> None:
    file = _write(tmp_path / "a.csv", "trip,fare,company\n007,1,x\n,2.50,y\n")
    _ingest(tmp_path, file, copied=("trip", "fare"))
    assert _rows(tmp_path, "trip") == [b"007", None]
    assert _rows(tmp_path, "fare") == [1.0, 2.5]


def test_rejected_rows_leave_the_ids_of_others_as_they_are(tmp_path: Path) -> None:
    file = _write(tmp_path / "a.csv", "fare,company\n1,x\ncheap,y\n3\n4,z\n5,z\n")
    done = _ingest(tmp_path, file, max_rejected_fraction=0.5)
    assert (done.rows, done.rejected) == ({"all": 3}, 2)
    assert _rows(tmp_path) == [b"a.csv:2", b"a.csv:5", b"a.csv:6"]


def test_a_label_may_be_there_and_may_be_of_one_class(tmp_path: Path) -> None:
    _ingest(tmp_path, _write(tmp_path / "a.csv", "fare,company,tips\n1,x,0\n2,y,\n"))
    assert len(_rows(tmp_path)) == 2


def test_a_missing_column_is_told_as_in_training(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="(?s)Column 'fare' is missing; it is read by feature 'fare'.*'fares'"):
        _ingest(tmp_path, _write(tmp_path / "a.csv", "fares,company\n1,x\n"))


def test_a_missing_id_column_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="Column 'trip' is missing; it is read by inference.id_columns"):
        _ingest(tmp_path, _write(tmp_path / "a.csv", "fare,company\n1,x\n"), copied=("trip",))


def test_a_wrong_value_is_told_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="(?s)Column 'fare' must hold numbers.*line 3: cheap"):
        _ingest(tmp_path, _write(tmp_path / "a.csv", "fare,company\n1,x\ncheap,y\n"))


@pytest.mark.parametrize(
    ("files", "folder"),
    [
        (["/data/a.csv"], "/data/"),
        (["/data/day-1/a.csv", "/data/day-2/a.csv"], "/data/"),
        (["/data/a.csv", "/data/ab.csv"], "/data/"),
        (["a.csv"], ""),
    ],
)
def test_the_common_folder(files: list[str], folder: str) -> None:
    assert common_folder(files) == folder
