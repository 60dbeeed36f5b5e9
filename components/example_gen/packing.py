"""How files are packed: gzip, bzip2 or Zstandard, told by their first bytes, whatever their names."""

from __future__ import annotations

import bz2
import gzip
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO, cast

import pyarrow as pa

from components.example_gen.data_files import open_arrow

UNPACKED = 8
"""Bytes of a table that a byte of a packed file holds, about."""
DAMAGES = (EOFError, zlib.error, OSError)
"""What reading a packed file raises where the file is cut off or damaged."""


@dataclass(frozen=True)
class Packing:
    """One way of packing.

    Attributes:
        name: of the packer.
        magic: the first bytes.
        open: the unpacked bytes of a file.
        check: command that checks a file.
    """

    name: str
    magic: bytes
    open: Callable[[BinaryIO], BinaryIO]
    check: str


def _gzip(raw: BinaryIO) -> BinaryIO:
    return cast(BinaryIO, gzip.GzipFile(fileobj=raw))


def _bzip2(raw: BinaryIO) -> BinaryIO:
    return cast(BinaryIO, bz2.BZ2File(raw))


def _zstandard(raw: BinaryIO) -> BinaryIO:
    # Arrow would close a file of Python's with the stream.
    return cast(BinaryIO, pa.CompressedInputStream(open_arrow(raw.name), "zstd"))


PACKINGS = (
    Packing("gzip", b"\x1f\x8b", _gzip, "gzip -t"),
    Packing("bzip2", b"BZh", _bzip2, "bzip2 -t"),
    Packing("Zstandard", b"\x28\xb5\x2f\xfd", _zstandard, "zstd -t"),
)


def packing_of(start: bytes) -> Packing | None:
    """How a file that starts with these bytes is packed; None: it is not."""
    return next((packing for packing in PACKINGS if start.startswith(packing.magic)), None)
