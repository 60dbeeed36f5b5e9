from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from models.columns import matching_files, read_columns
from schemas.errors import TrainingError

SPEC = {"x": tf.io.FixedLenFeature([2], tf.float32), "id": tf.io.FixedLenFeature([1], tf.int64)}


def write(path: Path, ids: list[int], compression: str = "GZIP") -> None:
    with tf.io.TFRecordWriter(str(path), compression) as writer:
        for number in ids:
            example = tf.train.Example()
            example.features.feature["x"].float_list.value.extend([number, -number])
            example.features.feature["id"].int64_list.value.append(number)
            writer.write(example.SerializeToString())


@pytest.mark.parametrize(("name", "compression"), [("a.gz", "GZIP"), ("a.tfrecord", "")])
def test_rows_become_columns(tmp_path: Path, name: str, compression: str) -> None:
    write(tmp_path / name, [1, 2], compression)
    columns = read_columns([str(tmp_path / name)], SPEC)
    np.testing.assert_array_equal(columns["x"], [[1, -1], [2, -2]])
    np.testing.assert_array_equal(columns["id"], [[1], [2]])


def test_several_files_come_in_one_order(tmp_path: Path) -> None:
    for index in range(3):
        write(tmp_path / f"{index}.gz", list(range(index * 10, index * 10 + 10)))
    files = matching_files([str(tmp_path / "*")])
    orders = [read_columns(files, SPEC)["id"].ravel().tolist() for _ in range(3)]
    assert orders[0] == orders[1] == orders[2]
    assert sorted(orders[0]) == list(range(30))


def test_a_file_without_rows_has_empty_columns(tmp_path: Path) -> None:
    write(tmp_path / "a.gz", [])
    assert read_columns([str(tmp_path / "a.gz")], SPEC)["x"].shape == (0, 2)


def test_hidden_files_are_no_examples(tmp_path: Path) -> None:
    for name in ("b.gz", "a.gz", ".hidden", "_SUCCESS"):
        (tmp_path / name).touch()
    assert matching_files([str(tmp_path / "*")]) == [str(tmp_path / "a.gz"), str(tmp_path / "b.gz")]


def test_no_file_at_all(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="no transformed examples"):
        matching_files([str(tmp_path / "*")])
