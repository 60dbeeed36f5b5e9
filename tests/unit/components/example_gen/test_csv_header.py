"""The names of the columns."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest

from components.example_gen.csv_header import Header, delimiter_hint, read_header
from schemas.errors import DataError


def _header(tmp_path: Path, content: bytes, delimiter: str = ",") -> Header:
    (tmp_path / "a.csv").write_bytes(content)
    return read_header(str(tmp_path / "a.csv"), delimiter)


@pytest.mark.parametrize(
    ("content", "names", "offset", "line"),
    [
        (b"a,b\n1,2\n", ("a", "b"), 4, 2),
        (b"a,b\r\n1,2\r\n", ("a", "b"), 5, 2),
        (b"\xef\xbb\xbfa,b\n1,2\n", ("a", "b"), 7, 2),
        (b'\xef\xbb\xbf"a",b\n1,2\n', ("a", "b"), 9, 2),
        (b'"a, 1","b\nc"\n1,2\n', ("a, 1", "b\nc"), 13, 3),
        (b"a,b", ("a", "b"), 3, 2),
        ("größe,b\n".encode(), ("größe", "b"), 10, 2),
    ],
)
def test_names_and_where_the_rows_start(
    tmp_path: Path, content: bytes, names: tuple[str, ...], offset: int, line: int
) -> None:
    header = _header(tmp_path, content)
    assert (header.names, header.offset, header.line) == (names, offset, line)


def test_header_longer_than_one_read(tmp_path: Path) -> None:
    names = tuple(f"column_{i}" for i in range(20_000))
    assert _header(tmp_path, (",".join(names) + "\n").encode()).names == names


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a,b,a\n1,2,3\n", "names column 'a' more than once.*positions 1, 3"),
        (b"a,,c\n1,2,3\n", "A column has no name.*column 2 of 3"),
        (b"\n1,2\n", "The first line is empty"),
        (b"a,b\x00\n1,2\n", "binary.*byte 3"),
        (b"a,gr\xf6\xdfe\n1,2\n", "header is not UTF-8.*byte 4"),
        (b'a,"b\n1,2\n', 'quote of the header is never closed.*Received: "b'),
        (b'a,"b\n1,"2"\n', 'quote of the header is never closed.*Received: "b'),
        (b"a,b\r1,2\r", "lone carriage return"),
    ],
)
def test_unusable_header(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(DataError, match="(?s)" + message):
        _header(tmp_path, content)


def test_other_delimiter_is_hinted_at(tmp_path: Path) -> None:
    assert "semicolons" in delimiter_hint(_header(tmp_path, b"a;b\n1;2\n"), ",")
    assert delimiter_hint(_header(tmp_path, b"a,b\n1,2\n"), ",") == ""


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_empty_file_is_refused(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    with pytest.raises(DataError, match="The data file is empty"):
        _header(tmp_path, pack(b""))
