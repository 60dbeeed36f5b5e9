"""Files of predictions, read back by what others read them with."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet
import pytest
import tensorflow as tf

from components.bulk_inferrer.prediction_files import file_name, prediction_file

ROWS: list[dict[str, Any]] = [
    {"row_id": "a.csv:2", "trip": 'the "007",\nof b', "hour": None, "class": "größe", "probabilities": [0.25, 0.1]},
    {"row_id": "a.csv:3", "trip": None, "hour": 9007199254740993, "class": "b", "probabilities": [1.0, 1e-9]},
]
SCHEMA = pa.schema(
    {
        "row_id": pa.string(),
        "trip": pa.string(),
        "hour": pa.int64(),
        "class": pa.string(),
        "probabilities": pa.list_(pa.float32()),
    }
)


def write(folder: Path, form: Any, rows: list[dict[str, Any]] = ROWS) -> Path:
    path = folder / file_name(0, 3, form)
    with prediction_file(str(path), SCHEMA, form) as file:
        for row in rows:
            file.write(pa.RecordBatch.from_pylist([row], SCHEMA))
    assert [one.name for one in folder.iterdir()] == [path.name]
    return path


def as_float32(values: list[float]) -> list[float]:
    return [pa.scalar(value, pa.float32()).as_py() for value in values]


EXPECTED = [{**row, "probabilities": as_float32(row["probabilities"])} for row in ROWS]


def test_parquet(tmp_path: Path) -> None:
    path = write(tmp_path, "parquet")
    assert path.name == "predictions-00000-of-00003.parquet"
    found = pa.parquet.read_table(path)
    assert found.schema.remove_metadata() == SCHEMA
    assert found.to_pylist() == EXPECTED


def test_csv(tmp_path: Path) -> None:
    path = write(tmp_path, "csv")
    assert path.name == "predictions-00000-of-00003.csv"
    with path.open(encoding="utf-8", newline="") as file:
        found = list(csv.DictReader(file))
    assert found == [
        {"row_id": "a.csv:2", "trip": 'the "007",\nof b', "hour": "", "class": "größe", "probabilities": "[0.25, 0.1]"},
        {"row_id": "a.csv:3", "trip": "", "hour": "9007199254740993", "class": "b", "probabilities": "[1, 1e-9]"},
    ]
    assert as_float32(json.loads(found[1]["probabilities"])) == EXPECTED[1]["probabilities"]


def test_tfrecord(tmp_path: Path) -> None:
    path = write(tmp_path, "tfrecord")
    assert path.name == "predictions-00000-of-00003.tfrecord.gz"
    features = {
        "row_id": tf.io.FixedLenFeature([], tf.string),
        "trip": tf.io.FixedLenFeature([], tf.string, b"missing"),
        "hour": tf.io.FixedLenFeature([], tf.int64, -1),
        "class": tf.io.FixedLenFeature([], tf.string),
        "probabilities": tf.io.FixedLenFeature([2], tf.float32),
    }
    found = [tf.io.parse_single_example(one, features) for one in tf.data.TFRecordDataset(str(path), "GZIP")]
    assert [row["row_id"].numpy().decode() for row in found] == ["a.csv:2", "a.csv:3"]
    assert [row["trip"].numpy() for row in found] == [b'the "007",\nof b', b"missing"]
    assert [int(row["hour"]) for row in found] == [-1, 9007199254740993]
    assert [row["class"].numpy().decode() for row in found] == ["größe", "b"]
    assert [row["probabilities"].numpy().tolist() for row in found] == [row["probabilities"] for row in EXPECTED]


def test_files_without_rows_have_their_columns(tmp_path: Path) -> None:
    assert write(tmp_path, "csv", []).read_text() == '"row_id","trip","hour","class","probabilities"\n'
    (tmp_path / "predictions-00000-of-00003.csv").unlink()
    assert pa.parquet.read_schema(write(tmp_path, "parquet", [])).remove_metadata() == SCHEMA


@pytest.mark.parametrize("form", ["parquet", "csv", "tfrecord"])
def test_an_error_leaves_no_file(tmp_path: Path, form: Any) -> None:
    with pytest.raises(KeyError), prediction_file(str(tmp_path / "a"), SCHEMA, form) as file:  # noqa: PT012
        file.write(pa.RecordBatch.from_pylist(ROWS, SCHEMA))
        raise KeyError
    assert list(tmp_path.iterdir()) == []


def test_lists_of_a_part_of_a_batch(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    with prediction_file(str(path), SCHEMA, "csv") as file:
        file.write(pa.RecordBatch.from_pylist(ROWS, SCHEMA).slice(1, 1))
    assert path.read_text().splitlines()[1] == '"a.csv:3",,9007199254740993,"b","[1, 1e-9]"'
