"""Records of a gzipped TFRecord file, read in blocks."""

from __future__ import annotations

import gzip
import struct
from collections.abc import Iterator

_BLOCK = 1 << 20
# A record is its length (8 bytes), a checksum of that (4), its bytes, and a checksum of those (4):
# https://www.tensorflow.org/tutorials/load_data/tfrecord#tfrecords_format_details
_HEADER, _FOOTER = 12, 4
_LENGTH = struct.Struct("<Q")


def gzip_records(path: str) -> Iterator[bytes]:
    """All records of a file, in order.

    The checksums of records are not computed: gzip's own, over the whole file, covers every byte.

    Raises:
        ValueError, EOFError, OSError, zlib.error: the file is cut off or damaged.
    """
    buffer, place, missing = b"", 0, 0
    with gzip.open(path) as file:
        while block := file.read(max(_BLOCK, missing)):
            buffer, place = buffer[place:] + block, 0
            missing = 0
            while len(buffer) - place >= _HEADER:
                start = place + _HEADER
                end = start + _LENGTH.unpack_from(buffer, place)[0]
                if end + _FOOTER > len(buffer):
                    missing = end + _FOOTER - len(buffer)
                    break
                yield buffer[start:end]
                place = end + _FOOTER
        if place != len(buffer):
            raise ValueError(f"The TFRecord file ends within a record: {path}")
