from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import tensorflow as tf

from models.columns import TooManyBytesError, matching_files, read_columns, shared_tensor
from schemas.column_files import ColumnFileWriter
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


def test_several_files_come_in_their_order(tmp_path: Path) -> None:
    for index in range(3):
        write(tmp_path / f"{index}.gz", list(range(index * 10, index * 10 + 10)))
    files = matching_files([str(tmp_path / "*")])
    assert read_columns(files, SPEC)["id"].ravel().tolist() == list(range(30))


def test_column_files_are_read_instead(tmp_path: Path) -> None:
    files = [str(tmp_path / "Split-train" / f"{index}.gz") for index in range(2)]
    (tmp_path / "Split-train").mkdir()
    for index, file in enumerate(files):
        write(Path(file), [])
        with ColumnFileWriter(file) as writer:
            writer.write(columns(index))
    read = read_columns(files, SPEC)
    np.testing.assert_array_equal(read["x"], [[1, 2], [1, 2]])
    np.testing.assert_array_equal(read["id"], [[0], [1]])


def test_column_files_without_a_feature_are_not_read(tmp_path: Path) -> None:
    file = tmp_path / "Split-train" / "a.gz"
    file.parent.mkdir()
    write(file, [7])
    with ColumnFileWriter(str(file)) as writer:
        writer.write(pa.RecordBatch.from_arrays([pa.array([[7]], pa.large_list(pa.int64()))], names=["id"]))
    np.testing.assert_array_equal(read_columns([str(file)], SPEC)["x"], [[7, -7]])


def columns(number: int) -> pa.RecordBatch:
    x = pa.array([[1, 2]], pa.large_list(pa.float32()))
    return pa.RecordBatch.from_arrays([x, pa.array([[number]], pa.large_list(pa.int64()))], names=["x", "id"])


def test_a_file_without_rows_has_empty_columns(tmp_path: Path) -> None:
    write(tmp_path / "a.gz", [])
    assert read_columns([str(tmp_path / "a.gz")], SPEC)["x"].shape == (0, 2)


def test_hidden_files_are_no_examples(tmp_path: Path) -> None:
    for name in ("b.gz", "a.gz", ".hidden", "_SUCCESS"):
        (tmp_path / name).touch()
    assert matching_files([str(tmp_path / "*")]) == [str(tmp_path / "a.gz"), str(tmp_path / "b.gz")]


def test_files_are_in_the_order_of_their_patterns(tmp_path: Path) -> None:
    for name in ("9/b", "9/a", "10/a"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    # 9 was ingested first, and is the older span.
    found = matching_files([str(tmp_path / "9/*"), str(tmp_path / "10/*")])
    assert [Path(file).relative_to(tmp_path).as_posix() for file in found] == ["9/a", "9/b", "10/a"]


def test_no_file_at_all(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="no examples to read"):
        matching_files([str(tmp_path / "*")])


@pytest.mark.parametrize("has_column_files", [True, False])
def test_no_more_memory_than_is_allowed(tmp_path: Path, has_column_files: bool) -> None:
    file = tmp_path / "Split-train" / "a.gz"
    file.parent.mkdir()
    write(file, [1, 1])
    if has_column_files:
        with ColumnFileWriter(str(file)) as writer:
            for _ in range(2):
                writer.write(columns(1))
    assert read_columns([str(file)], SPEC, 32)["id"].shape == (2, 1)  # two float32 and one int64 a row
    with pytest.raises(TooManyBytesError):
        read_columns([str(file)], SPEC, 31)


def test_strings_count_with_what_they_hold(tmp_path: Path) -> None:
    file = tmp_path / "Split-train" / "a.gz"
    file.parent.mkdir()
    with ColumnFileWriter(str(file)) as writer:
        texts = pa.array([[b"x" * 1000], [b"y"]], pa.large_list(pa.large_binary()))
        writer.write(pa.RecordBatch.from_arrays([texts], names=["text"]))
    spec = {"text": tf.io.FixedLenFeature([1], tf.string)}
    exact = 2 * 8 + sys.getsizeof(b"x" * 1000) + sys.getsizeof(b"y")
    assert read_columns([str(file)], spec, exact)["text"].tolist() == [[b"x" * 1000], [b"y"]]
    with pytest.raises(TooManyBytesError):
        read_columns([str(file)], spec, exact - 1)


def test_columns_are_read_by_a_function_of_the_records(tmp_path: Path) -> None:
    write(tmp_path / "a.gz", [1, 2])
    spec = {"twice": tf.io.FixedLenFeature([1], tf.int64)}
    read = read_columns(
        [str(tmp_path / "a.gz")],
        spec,
        parse=lambda records: {"twice": 2 * tf.io.parse_example(records, SPEC)["id"], "more": records},
    )
    assert read["twice"].tolist() == [[2], [4]]


@pytest.mark.parametrize("has_column_files", [True, False])
def test_a_tensor_of_numbers_is_the_array_itself(tmp_path: Path, has_column_files: bool) -> None:
    file = tmp_path / "Split-train" / "a.gz"
    file.parent.mkdir()
    write(file, [5])
    if has_column_files:
        with ColumnFileWriter(str(file)) as writer:
            writer.write(columns(5))
    values = read_columns([str(file)], SPEC)["id"]
    tensor = shared_tensor(values)
    values[0] = 6
    assert tensor.numpy().tolist() == [[6]]


@pytest.mark.parametrize(
    "values",
    [
        np.arange(9.0)[1:],  # not where TensorFlow's memory may begin
        np.arange(8)[::2],
        np.array([b"a", b"b"], object),
        np.zeros((0, 2), np.float32),
        np.array([True, False]),
    ],
)
def test_any_array_becomes_a_tensor(values: np.ndarray) -> None:
    np.testing.assert_array_equal(shared_tensor(values).numpy(), values)
