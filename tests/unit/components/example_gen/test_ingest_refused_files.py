"""Files that are no table, or not the same one: refused with nothing left behind."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from tests.unit.components.example_gen.csv_ingestion import ROWS, csv_text, refuses


@pytest.mark.parametrize("content", [b"", gzip.compress(b"")], ids=["plain", "gzip"])
def test_empty_file(tmp_path: Path, content: bytes) -> None:
    refuses(tmp_path, "The data file is empty.*0.csv", content)


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("rest", [b"", b"\n", b"\n\n\n"])
def test_header_only(tmp_path: Path, rest: bytes, packed: bool) -> None:
    content = b"fare,tips,n" + rest
    refuses(tmp_path, "a header, but no row.*0.csv.*0 rows", gzip.compress(content) if packed else content)


def test_ragged_rows(tmp_path: Path) -> None:
    refuses(
        tmp_path,
        "2 rows have not the number of fields.*0.csv, line 42.*line 42: 4 instead of 3 fields; line 43: 1 instead",
        csv_text(*ROWS, "1,2,3,4", "5"),
    )


def test_duplicate_header(tmp_path: Path) -> None:
    refuses(tmp_path, "column 'tips' more than once", csv_text("1,2,3", header="fare,tips,tips"))


def test_binary_content(tmp_path: Path) -> None:
    refuses(tmp_path, "NUL byte.*0.csv, line 3", b"fare,tips,n\n1,2,3\n\x00\x01,2,3\n")


def test_text_of_another_encoding(tmp_path: Path) -> None:
    refuses(tmp_path, "not UTF-8.*line 3.*iconv", "fare,tips,n\n1,2,x\n1,2,é\n".encode("latin-1"))


def test_unclosed_quote(tmp_path: Path) -> None:
    refuses(tmp_path, "never closed.*line 3", csv_text("1,2,3", '1,2,"x', "1,2,3"))


def test_truncated_gzip(tmp_path: Path) -> None:
    packed = gzip.compress("".join(csv_text(*ROWS)).encode())
    refuses(tmp_path, "gzip file is cut off.*0.csv", packed[:-12])


def test_different_headers(tmp_path: Path) -> None:
    refuses(
        tmp_path,
        "same columns.*1.csv, line 1.*lacks n and adds m",
        csv_text(*ROWS),
        csv_text(*ROWS, header="fare,tips,m"),
    )


def test_spaces_around_the_names_of_the_header(tmp_path: Path) -> None:
    refuses(
        tmp_path, "'fare' is missing.*spaces around its names.*column: ' fare'", csv_text(*ROWS, header="n, fare, tips")
    )
