"""What is opened as CSV, and what is refused."""

from __future__ import annotations

import gzip
import zipfile
from pathlib import Path

import pytest

from components.example_gen.csv_file import CsvFile
from schemas.errors import DataError


def _read_all(file: CsvFile) -> None:
    while file.read(1000):
        pass


def test_plain_and_gzip_give_the_same_bytes(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"x,y\n1,2\n")
    (tmp_path / "b.csv").write_bytes(gzip.compress(b"x,y\n1,2\n"))
    for name in ("a.csv", "b.csv"):
        with CsvFile(str(tmp_path / name)) as file:
            assert file.read(100) == b"x,y\n1,2\n"
            file.seek(0)
            file.seek(4)
            assert file.read(100) == b"1,2\n"


@pytest.mark.parametrize("content", [b"", gzip.compress(b"")], ids=["plain", "gzip"])
def test_empty_file_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(DataError, match="The data file is empty"):
        CsvFile(str(tmp_path / "a.csv"))


@pytest.mark.parametrize(
    ("start", "kind"),
    [
        (b"PAR1\x15\x04", "Parquet"),
        (b"\xd0\xcf\x11\xe0\xa1", "Office"),
        (b"BZh91AY", "bzip2"),
        (b"\xff\xfea\x00", "UTF-16"),
        (b"%PDF-1.7", "PDF"),
    ],
)
def test_another_format_is_named(tmp_path: Path, start: bytes, kind: str) -> None:
    (tmp_path / "a.csv").write_bytes(start)
    with pytest.raises(DataError, match=f"(?s)not CSV.*{kind}"):
        CsvFile(str(tmp_path / "a.csv"))


def test_workbook_is_named(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.csv", "w") as book:
        book.writestr("xl/workbook.xml", "<workbook/>")
    with pytest.raises(DataError, match="xlsx workbook"):
        CsvFile(str(tmp_path / "a.csv"))


def test_gzip_that_is_cut_off_is_refused_where_it_ends(tmp_path: Path) -> None:
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(bytes(range(256)) * 1000)[:-20])
    with CsvFile(str(tmp_path / "a.csv.gz")) as file, pytest.raises(DataError, match="cut off"):
        _read_all(file)


def test_gzip_with_a_changed_byte_is_refused(tmp_path: Path) -> None:
    packed = bytearray(gzip.compress(b"a,b\n1,2\n" * 1000))
    packed[-6] ^= 1
    (tmp_path / "a.csv.gz").write_bytes(packed)
    with CsvFile(str(tmp_path / "a.csv.gz")) as file, pytest.raises(DataError, match="damaged"):
        _read_all(file)
