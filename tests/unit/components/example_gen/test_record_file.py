"""TFRecord files: every record, or a message that names file and byte."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
import tensorflow as tf

from components.example_gen.record_file import RecordFile
from schemas.errors import DataError

RECORDS = [b"one", b"", b"three" * 100]


def _write(path: Path, compression: str = "") -> Path:
    with tf.io.TFRecordWriter(str(path), tf.io.TFRecordOptions(compression_type=compression)) as writer:
        for record in RECORDS:
            writer.write(record)
    return path


def _read(path: Path) -> list[tuple[int, bytes]]:
    with RecordFile(str(path)) as file:
        return list(file.records())


def _refused(path: Path, data: bytes, message: str) -> None:
    path.write_bytes(data)
    with pytest.raises(DataError, match="(?s)" + message):
        _read(path)


@pytest.mark.parametrize("compression", ["", "GZIP"])
def test_records_and_their_offsets(tmp_path: Path, compression: str) -> None:
    # A record takes 16 bytes beside its own.
    path = _write(tmp_path / "a.tfrecord", compression)
    assert _read(path) == [(0, b"one"), (19, b""), (35, RECORDS[2])]


def test_offsets_without_reading(tmp_path: Path) -> None:
    with RecordFile(str(_write(tmp_path / "a.tfrecord")), 19) as file:
        assert list(file.offsets()) == [19, 35]


def test_empty_file_has_no_record(tmp_path: Path) -> None:
    (tmp_path / "a.tfrecord").write_bytes(b"")
    assert _read(tmp_path / "a.tfrecord") == []


@pytest.mark.parametrize(
    "data", [b"a,b\n", b"fare,tips,company\n1,2,3\n", gzip.compress(b"fare,tips,company\n1,2,3\n", mtime=0)]
)
def test_other_files_are_no_tfrecords(tmp_path: Path, data: bytes) -> None:
    _refused(tmp_path / "a.tfrecord", data, "not a TFRecord file.*a.tfrecord.*starts with.*data.source: csv")


@pytest.mark.parametrize("kept", [20, 31, 40, -1])
def test_cut_off(tmp_path: Path, kept: int) -> None:
    data = _write(tmp_path / "a.tfrecord").read_bytes()
    start = 19 if kept < 35 and kept != -1 else 35
    _refused(tmp_path / "a.tfrecord", data[:kept], rf"cut off.*a.tfrecord, record at byte {start}")


def test_cut_off_is_noticed_without_reading(tmp_path: Path) -> None:
    path = _write(tmp_path / "a.tfrecord")
    path.write_bytes(path.read_bytes()[:-1])
    with RecordFile(str(path)) as file, pytest.raises(DataError, match=r"(?s)cut off.*record at byte 35"):
        list(file.offsets())


@pytest.mark.parametrize(("at", "what"), [(19, "its length"), (50, "its bytes")])
def test_damaged(tmp_path: Path, at: int, what: str) -> None:
    data = bytearray(_write(tmp_path / "a.tfrecord").read_bytes())
    data[at] ^= 1
    start = 19 if at == 19 else 35
    _refused(tmp_path / "a.tfrecord", bytes(data), rf"damaged.*record at byte {start}.*checksum of {what}")


def test_gzip_cut_off(tmp_path: Path) -> None:
    data = _write(tmp_path / "a.tfrecord", "GZIP").read_bytes()
    _refused(tmp_path / "a.tfrecord", data[:-12], "cut off.*a.tfrecord")


def test_gzip_damaged(tmp_path: Path) -> None:
    data = bytearray(_write(tmp_path / "a.tfrecord", "GZIP").read_bytes())
    data[-6] ^= 1
    _refused(tmp_path / "a.tfrecord", bytes(data), "damaged.*a.tfrecord")


def test_absent(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="(?s)cannot be read.*No such file"):
        RecordFile(str(tmp_path / "a"))
