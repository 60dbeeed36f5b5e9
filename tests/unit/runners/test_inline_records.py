from __future__ import annotations

import gzip
import tempfile
import zlib
from pathlib import Path
from typing import Any

import apache_beam as beam
import pytest
import tensorflow as tf
from apache_beam.coders import VarIntCoder
from apache_beam.io.filesystem import CompressionTypes
from hypothesis import given
from hypothesis import strategies as st

from components.examples import gzip_records
from runners.inline_records import fast_records

RECORDS = [b"", b"a", bytes(range(256)) * 400, b"b"]


def _write(path: Path, compression: str = "GZIP", records: list[bytes] = RECORDS) -> Path:
    with tf.io.TFRecordWriter(str(path), compression) as writer:
        for record in records:
            writer.write(record)
    return path


def _source(pattern: object, kind: str = CompressionTypes.AUTO, coder: Any = None) -> Any:
    return beam.io.ReadFromTFRecord(str(pattern), coder or beam.coders.BytesCoder(), kind)._source


def test_what_beam_reads_is_read(tmp_path: Path) -> None:
    _write(tmp_path / "a.gz")
    _write(tmp_path / "b.gz", records=[b"c"])
    source = _source(tmp_path / "*")
    found = list(fast_records(source))
    assert found == [*RECORDS, b"c"]
    assert sorted(found) == sorted(source.read(source.get_range_tracker(None, None)))


@given(st.lists(st.binary(max_size=40)), st.integers(1, 60))
def test_records_lie_across_blocks(records: list[bytes], block: int) -> None:
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as folder:
        patch.setattr(gzip_records, "_BLOCK", block)
        path = _write(Path(folder) / "a.gz", records=records)
        assert list(fast_records(_source(path))) == records


def test_a_declared_compression_counts_more_than_the_name(tmp_path: Path) -> None:
    path = _write(tmp_path / "a")
    assert list(fast_records(_source(path, CompressionTypes.GZIP))) == RECORDS


def test_the_coder_is_the_sources(tmp_path: Path) -> None:
    path = _write(tmp_path / "a.gz", records=[VarIntCoder().encode(7)])
    assert list(fast_records(_source(path, coder=VarIntCoder()))) == [7]


def test_no_file_is_no_record(tmp_path: Path) -> None:
    source = beam.io.ReadFromTFRecord(str(tmp_path / "none*"), validate=False)._source
    assert list(fast_records(source)) == []


@pytest.mark.parametrize("keep", [5, 13, 20, 40, 100])
def test_a_file_that_ends_within_a_record_is_refused(tmp_path: Path, keep: int) -> None:
    path = _write(tmp_path / "a.gz")
    path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes())[:keep]))
    with pytest.raises(ValueError, match="ends within a record"):
        list(fast_records(_source(path)))


@pytest.mark.parametrize("lost", [1, 8, 40])
def test_a_file_that_is_cut_off_is_refused(tmp_path: Path, lost: int) -> None:
    path = _write(tmp_path / "a.gz")
    path.write_bytes(path.read_bytes()[:-lost])
    with pytest.raises(EOFError):
        list(fast_records(_source(path)))


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    path = _write(tmp_path / "a.gz")
    content = bytearray(path.read_bytes())
    content[-6] ^= 1
    path.write_bytes(content)
    with pytest.raises((OSError, zlib.error)):
        list(fast_records(_source(path)))


def test_others_read_themselves(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("a")
    assert fast_records(beam.io.ReadFromText(str(tmp_path / "a"))._source) is None
    assert fast_records(_source(_write(tmp_path / "b", ""))) is None
