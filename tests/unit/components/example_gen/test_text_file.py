"""What is opened as CSV, and what is refused."""

from __future__ import annotations

import bz2
import gzip
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from components.example_gen.text_file import TextFile
from schemas.errors import DataError

Pack = Callable[[bytes], bytes]


def _read_all(file: TextFile) -> None:
    while file.read(1000):
        pass


def zstandard(data: bytes) -> bytes:
    packed = pa.BufferOutputStream()
    with pa.CompressedOutputStream(packed, "zstd") as stream:
        stream.write(data)
    return packed.getvalue().to_pybytes()


PACKERS = [gzip.compress, bz2.compress, zstandard]
packers = pytest.mark.parametrize("pack", PACKERS)


@pytest.mark.parametrize("pack", [bytes, *PACKERS])
def test_plain_and_packed_give_the_same_bytes(tmp_path: Path, pack: Pack) -> None:
    (tmp_path / "a.csv").write_bytes(pack(b"x,y\n1,2\n"))
    with TextFile(str(tmp_path / "a.csv"), "csv") as file:
        assert file.compressed == (pack is not bytes)
        assert file.read(100) == b"x,y\n1,2\n"
        file.seek(0)
        file.seek(4)
        assert file.read(100) == b"1,2\n"
        assert file.read(100) == b""


@packers
def test_parts_packed_one_after_the_other_are_one_file(tmp_path: Path, pack: Pack) -> None:
    (tmp_path / "a.csv").write_bytes(pack(b"x,y\n") + pack(b"1,2\n"))
    with TextFile(str(tmp_path / "a.csv"), "csv") as file:
        assert b"".join(iter(lambda: file.read(3), b"")) == b"x,y\n1,2\n"


@packers
def test_a_file_packed_twice_is_refused(tmp_path: Path, pack: Pack) -> None:
    (tmp_path / "a.csv").write_bytes(pack(gzip.compress(b"x,y\n1,2\n")))
    with pytest.raises(DataError, match="(?s)packed twice.*a gzip file inside of a"):
        TextFile(str(tmp_path / "a.csv"), "csv")


@pytest.mark.parametrize(
    ("start", "kind"),
    [
        (b"PAR1\x15\x04", "Parquet"),
        (b"\xd0\xcf\x11\xe0\xa1", "Office"),
        (b"\xff\xfea\x00", "UTF-16"),
        (b"%PDF-1.7", "PDF"),
    ],
)
def test_another_format_is_named(tmp_path: Path, start: bytes, kind: str) -> None:
    (tmp_path / "a.csv").write_bytes(start)
    with pytest.raises(DataError, match=f"(?s)not CSV.*{kind}"):
        TextFile(str(tmp_path / "a.csv"), "csv")


def test_workbook_is_named(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.csv", "w") as book:
        book.writestr("xl/workbook.xml", "<workbook/>")
    with pytest.raises(DataError, match="xlsx workbook"):
        TextFile(str(tmp_path / "a.csv"), "csv")


@packers
def test_a_packed_file_that_is_cut_off_is_refused_where_it_ends(tmp_path: Path, pack: Pack) -> None:
    random = np.random.default_rng(1).integers(0, 256, 500_000, np.uint8).tobytes()
    (tmp_path / "a.csv").write_bytes(pack(random)[:-20])
    with (
        pytest.raises(DataError, match=r"(?s)cut off.*after line \d+"),
        TextFile(str(tmp_path / "a.csv"), "csv") as file,
    ):
        _read_all(file)


@packers
def test_a_packed_file_with_a_changed_byte_is_refused(tmp_path: Path, pack: Pack) -> None:
    packed = bytearray(pack(b"a,b\n1,2\n" * 1000))
    # Arrow writes no checksum of the content: there it is a block's head that is changed.
    packed[6 if pack is zstandard else -6] ^= 0xFF
    (tmp_path / "a.csv").write_bytes(packed)
    with pytest.raises(DataError, match="damaged|cut off"), TextFile(str(tmp_path / "a.csv"), "csv") as file:
        _read_all(file)
