"""Shards that TensorFlow reads, and that exist whole or not at all."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import pytest
import tensorflow as tf

from components.example_gen.tfrecord import ShardWriter, shard_name, write_whole

RECORDS = [b"", b"a", b"b" * 300, bytes(range(256))]


def test_tensorflow_reads_what_is_written(tmp_path: Path) -> None:
    path = str(tmp_path / "Split-train" / "shard.gz")
    with ShardWriter(path) as writer:
        writer.write(RECORDS[:2])
        writer.write(RECORDS[2:])
    assert list(tf.data.TFRecordDataset(path, "GZIP").as_numpy_iterator()) == RECORDS


def test_bytes_are_those_of_tensorflow(tmp_path: Path) -> None:
    with tf.io.TFRecordWriter(str(tmp_path / "theirs"), tf.io.TFRecordOptions(compression_type="GZIP")) as theirs:
        for record in RECORDS:
            theirs.write(record)
    with ShardWriter(str(tmp_path / "ours")) as ours:
        ours.write(RECORDS)
    assert gzip.decompress((tmp_path / "ours").read_bytes()) == gzip.decompress((tmp_path / "theirs").read_bytes())


def test_equal_records_give_equal_files(tmp_path: Path) -> None:
    for name in "ab":
        with ShardWriter(str(tmp_path / name)) as writer:
            writer.write(RECORDS)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_failure_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(TypeError), ShardWriter(str(tmp_path / "shard")) as writer:
        writer.write([*RECORDS, None])  # type: ignore[list-item]
    assert os.listdir(tmp_path) == []


def test_discarded_shard_is_not_there(tmp_path: Path) -> None:
    with ShardWriter(str(tmp_path / "shard")) as writer:
        writer.write(RECORDS)
        writer.discard()
    assert os.listdir(tmp_path) == []


def test_small_file_replaces(tmp_path: Path) -> None:
    write_whole(str(tmp_path / "a"), b"1")
    write_whole(str(tmp_path / "a"), b"2")
    assert (tmp_path / "a").read_bytes() == b"2"
    assert os.listdir(tmp_path) == ["a"]


def test_names_are_those_of_stock() -> None:
    assert shard_name(0, 2) == "data_tfrecord-00000-of-00002.gz"
