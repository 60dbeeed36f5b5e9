"""Blocks and pieces: whole records, nothing lost, lines counted."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from components.example_gen.csv_blocks import Block, piece_bytes, read_pieces, split_blocks
from components.example_gen.csv_header import read_header
from schemas.errors import DataError


def _blocks(path: Path, block_bytes: int) -> list[Block]:
    return split_blocks(read_header(str(path), ","), ",", block_bytes)


def test_blocks_hold_every_record_once(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("a,b\n" + "".join(f'{i},"x\n{i}"\n' for i in range(100)))
    blocks = _blocks(path, 64)
    assert len(blocks) > 5
    data = b"".join(piece.data for block in blocks for piece in read_pieces(block, ",", 16))
    assert data == path.read_bytes()[4:]


def test_pieces_know_their_line_and_offset(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b'a,b\n1,"x\ny"\n2,z\n3,w')
    (block,) = _blocks(path, 1 << 20)
    pieces = list(read_pieces(block, ",", 8))
    assert [(piece.data, piece.line, piece.offset) for piece in pieces] == [
        (b'1,"x\ny"\n', 2, 4),
        (b"2,z\n", 4, 12),
        (b"3,w", 5, 16),
    ]


def test_gzip_is_one_block(tmp_path: Path) -> None:
    path = tmp_path / "a.csv.gz"
    path.write_bytes(gzip.compress(b"a,b\n" + b"1,2\n" * 1000))
    (block,) = _blocks(path, 64)
    assert b"".join(piece.data for piece in read_pieces(block, ",", 100)) == b"1,2\n" * 1000


def test_header_only_gives_no_block(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"a,b\n")
    assert _blocks(path, 64) == []


@pytest.mark.parametrize("block_bytes", [16, 1 << 20])
def test_unclosed_quote_is_found_where_it_opens(tmp_path: Path, block_bytes: int) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"a,b\n" + b"1,2\n" * 10 + b'3,"oops\n' + b"4,5\n" * 10)
    with pytest.raises(DataError, match=r'(?s)never closed.*line 12.*3,"oops'):
        _ = [list(read_pieces(block, ",", 16)) for block in _blocks(path, block_bytes)]


def test_record_longer_than_a_piece_is_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    row = b'1,"' + b"x\n" * 500_000 + b'"\n'
    path.write_bytes(b"a,b\n" + row + b"2,y\n")
    (block,) = _blocks(path, 1 << 30)
    assert b"".join(piece.data for piece in read_pieces(block, ",", 1000)) == row + b"2,y\n"


def test_wide_rows_come_in_larger_pieces(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    row = b",".join([b"1234567890"] * 2000) + b"\n"
    path.write_bytes(b",".join(b"c%d" % i for i in range(2000)) + b"\n" + row * 300)
    (block,) = _blocks(path, 1 << 30)
    assert [len(piece.data) for piece in read_pieces(block, ",", piece_bytes(1 << 20, 2000))] == [300 * len(row)]
