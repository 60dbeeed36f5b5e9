from __future__ import annotations

import os
from pathlib import Path

import pyarrow as pa
import pytest

from schemas.column_files import ColumnFileWriter, column_file, column_files, read_column_file

BATCH = pa.RecordBatch.from_arrays(
    [pa.array([[1], []], pa.large_list(pa.int64())), pa.array([[b"a"], [b"b"]], pa.large_list(pa.large_binary()))],
    names=["age", "name"],
)


def write(folder: Path, shard: str, *batches: pa.RecordBatch) -> str:
    (folder / "Split-train").mkdir(exist_ok=True)
    path = folder / "Split-train" / shard
    path.touch()
    with ColumnFileWriter(str(path)) as writer:
        for batch in batches:
            writer.write(batch)
    return column_file(str(path))


def test_rows_come_back_in_their_batches(tmp_path: Path) -> None:
    path = write(tmp_path, "data-00000-of-00001.gz", BATCH, BATCH.slice(1))
    assert path == f"{tmp_path}/Columns-train/data-00000-of-00001.arrow"
    read = list(read_column_file(path))
    assert [batch.to_pydict() for batch in read] == [
        {"age": [[1], []], "name": [[b"a"], [b"b"]]},
        {"age": [[]], "name": [[b"b"]]},
    ]


def test_some_columns(tmp_path: Path) -> None:
    path = write(tmp_path, "shard", BATCH)
    assert [batch.to_pydict() for batch in read_column_file(path, {"name", "none"})] == [{"name": [[b"a"], [b"b"]]}]


def test_a_shard_without_rows(tmp_path: Path) -> None:
    assert list(read_column_file(write(tmp_path, "shard"))) == []


def test_the_files_of_a_split_in_the_order_of_its_shards(tmp_path: Path) -> None:
    paths = [write(tmp_path, f"data-{number:05d}-of-00002.gz", BATCH) for number in (1, 0)]
    assert column_files(str(tmp_path / "Split-train")) == paths[::-1]


@pytest.mark.parametrize("stray", ["Split-train/other.gz", "Columns-train/other.arrow"])
def test_files_that_do_not_belong_to_the_shards_are_not_used(tmp_path: Path, stray: str) -> None:
    write(tmp_path, "data.gz", BATCH)
    (tmp_path / stray).touch()
    assert column_files(str(tmp_path / "Split-train")) == []


def test_a_split_without_column_files(tmp_path: Path) -> None:
    (tmp_path / "Split-train").mkdir()
    (tmp_path / "Split-train" / "data.gz").touch()
    assert column_files(str(tmp_path / "Split-train")) == []
    assert column_files("gs://bucket/Split-train") == []


def test_nothing_is_left_of_a_file_that_is_not_finished(tmp_path: Path) -> None:
    with pytest.raises(pa.ArrowInvalid), ColumnFileWriter(str(tmp_path / "Split-train" / "shard")) as writer:
        _ = [writer.write(batch) for batch in (BATCH, pa.RecordBatch.from_arrays([], names=[]))]
    with ColumnFileWriter(str(tmp_path / "Split-train" / "shard")) as writer:
        writer.write(BATCH)
        writer.discard()
    assert os.listdir(tmp_path / "Columns-train") == []
