"""Pieces to columns of text."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.example_gen.csv_blocks import Piece
from components.example_gen.csv_columns import lines_of, read_columns
from schemas.errors import DataError


def _piece(data: bytes, names: tuple[str, ...] = ("a", "b"), line: int = 2) -> Piece:
    return Piece("f.csv", names, line, 100, data)


def _columns(
    data: bytes, names: tuple[str, ...] = ("a", "b"), missing: tuple[str, ...] = ()
) -> dict[str, list[object]]:
    return {
        name: column.to_pylist() for name, column in read_columns(_piece(data, names), ",", missing).columns.items()
    }


@pytest.mark.parametrize(
    ("data", "a", "b"),
    [
        (b"1,x\n2,y\n", ["1", "2"], ["x", "y"]),
        (b"1,x\r\n2,y\r\n", ["1", "2"], ["x", "y"]),
        (b"1,\n,y", ["1", None], [None, "y"]),
        (b'"a, ""b""\nc",1\n', ['a, "b"\nc'], ["1"]),
        (b'"",1\n', [None], ["1"]),
        (b"1,x\n\n\r\n2,y\n", ["1", "2"], ["x", "y"]),
        (b'5" pipe,1\n', ['5" pipe'], ["1"]),
        ("é,ü\n".encode(), ["é"], ["ü"]),
        (b"\n\n", [], []),
    ],
)
def test_fields(data: bytes, a: list[object], b: list[object]) -> None:
    assert _columns(data) == {"a": a, "b": b}


def test_texts_for_missing() -> None:
    assert _columns(b"NA,x\n1,NULL\n", missing=("NA", "NULL")) == {"a": [None, "1"], "b": ["x", None]}


def test_ragged_rows_name_their_lines_and_all_others_are_read() -> None:
    piece = _piece(b'1,"x\ny"\n1,2,3\n\n4\n5,6\n')
    read = read_columns(piece, ",", ())
    assert read.ragged == ((4, ["1", "2", "3"]), (6, ["4"]))
    assert {name: column.to_pylist() for name, column in read.columns.items()} == {"a": ["1", "5"], "b": ["x\ny", "6"]}
    assert (read.rows, lines_of(piece, ",", [0, 1])) == (2, [2, 7])


def test_ragged_rows_alone() -> None:
    read = read_columns(_piece(b"1\n2\n"), ",", ())
    assert (read.rows, [line for line, _ in read.ragged]) == (0, [2, 3])


def test_nul_byte_is_placed() -> None:
    with pytest.raises(DataError, match=r"(?s)NUL byte.*f.csv, line 3, byte 106"):
        read_columns(_piece(b"1,2\n3,\x00\n"), ",", ())


def test_text_that_is_not_utf8_is_placed() -> None:
    with pytest.raises(DataError, match=r"(?s)not UTF-8.*f.csv, line 3, byte 108"):
        read_columns(_piece(b"1,2\n3,ca\xe9x\n"), ",", ())


def test_lines_count_newlines_in_quotes_and_blank_lines() -> None:
    assert lines_of(_piece(b'1,"x\ny"\n\n2,3\n4,5\n', line=10), ",", [0, 1, 2]) == [10, 13, 14]


def test_field_of_a_megabyte() -> None:
    text = "x" * (1 << 20)
    assert _columns(f"1,{text}\n".encode())["b"] == [text]


_CELL = st.text(st.characters(blacklist_categories=("Cs",), blacklist_characters="\0"), max_size=8)


@given(st.lists(st.lists(_CELL, min_size=3, max_size=3), min_size=1, max_size=8), st.sampled_from(["\n", "\r\n"]))
def test_what_the_csv_module_writes_is_read_back(rows: list[list[str]], end: str) -> None:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator=end, quoting=csv.QUOTE_ALL).writerows(rows)
    columns = _columns(text.getvalue().encode(), ("a", "b", "c"))
    assert [list(row) for row in zip(*columns.values(), strict=True)] == [
        [cell or None for cell in row] for row in rows
    ]
