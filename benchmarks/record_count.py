"""How many records TFRecord files hold."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

from schemas.errors import RunError

_HEADER, _FOOTER = 12, 4  # the length and its checksum; the checksum of the record


def record_count(folder: Path) -> int:
    """Records of a folder's gzipped TFRecord files. Nothing is kept in memory, and no checksum looked at.

    Raises:
        RunError: there are no files, or one ends within a record.
    """
    files = sorted(folder.glob("*.gz"))
    if not files:
        raise RunError("There are no examples.", where=str(folder), fix="See the log of the run.")
    return sum(_records(file) for file in files)


def _records(path: Path) -> int:
    count = 0
    with gzip.open(path) as file:
        while header := file.read(_HEADER):
            length = struct.unpack("<Q", header[:8])[0] if len(header) == _HEADER else 0
            if len(file.read(length + _FOOTER)) != length + _FOOTER:
                raise RunError("The file ends within a record.", where=str(path), received=f"record {count + 1}")
            count += 1
    return count
