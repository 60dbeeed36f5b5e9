"""Blocks and pieces of TFRecord files: every record once, in order, whatever the sizes."""

from __future__ import annotations

from pathlib import Path

import pytest
import tensorflow as tf
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from components.example_gen.record_blocks import RecordBlock, read_record_pieces, split_record_blocks
from schemas.errors import DataError


def _write(path: Path, records: list[bytes], compression: str = "") -> str:
    with tf.io.TFRecordWriter(str(path), tf.io.TFRecordOptions(compression_type=compression)) as writer:
        for record in records:
            writer.write(record)
    return str(path)


def test_blocks_end_between_records(tmp_path: Path) -> None:
    # Records of 4 bytes take 20 in the file: two fit into a block of 40, of the third there is one too many.
    path = _write(tmp_path / "a", [b"aaaa", b"bbbb", b"cccc"])
    assert split_record_blocks(path, 40) == [RecordBlock(path, 1, 0, 2), RecordBlock(path, 3, 40, 1)]


def test_gzip_is_one_block(tmp_path: Path) -> None:
    path = _write(tmp_path / "a", [b"aaaa", b"bbbb"], "GZIP")
    assert split_record_blocks(path, 1) == [RecordBlock(path)]


@pytest.mark.parametrize("compression", ["", "GZIP"])
def test_no_record_no_block(tmp_path: Path, compression: str) -> None:
    assert split_record_blocks(_write(tmp_path / "a", [], compression)) == []


def test_place_names_file_and_record() -> None:
    assert RecordBlock("a.tfrecord", 7).place == "a.tfrecord, from record 7"


def test_damage_in_another_block_is_found_there(tmp_path: Path) -> None:
    path = Path(_write(tmp_path / "a", [b"aaaa", b"bbbb"]))
    data = bytearray(path.read_bytes())
    data[33] ^= 1
    path.write_bytes(bytes(data))
    first, second = split_record_blocks(str(path), 20)
    assert [piece.records for piece in read_record_pieces(first)] == [[b"aaaa"]]
    with pytest.raises(DataError, match="record at byte 20"):
        list(read_record_pieces(second))


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.binary(max_size=20), max_size=12), st.integers(1, 80), st.integers(1, 40), st.sampled_from(["", "GZIP"])
)
def test_every_record_once(
    tmp_path: Path, records: list[bytes], block_bytes: int, piece_bytes: int, compression: str
) -> None:
    blocks = split_record_blocks(_write(tmp_path / "a", records, compression), block_bytes)
    pieces = [piece for block in blocks for piece in read_record_pieces(block, piece_bytes)]
    assert [record for piece in pieces for record in piece.records] == records
    numbers = [piece.first + place for piece in pieces for place in range(len(piece.records))]
    assert numbers == list(range(1, len(records) + 1))
