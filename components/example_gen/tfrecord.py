"""TFRecord shards, gzipped, that exist whole or not at all.

A record is its length (uint64), the masked CRC-32C of those eight bytes, the bytes, and their masked CRC-32C, all
little-endian (tensorflow/core/lib/io/record_writer.h).
"""

from __future__ import annotations

import os
import struct
import uuid
import zlib
from collections.abc import Iterable
from functools import lru_cache

import google_crc32c

from schemas.whole_file import WholeFile

LEVEL = 1
"""Of zlib: on tf.Examples, whose keys repeat in every row, level 6 takes 3 times as long and saves a few per cent."""
_GZIP = 31


def shard_name(index: int, count: int) -> str:
    """Name of a shard, as Beam's TFRecord sink in stock ExampleGen gives it."""
    return f"data_tfrecord-{index:05d}-of-{count:05d}.gz"


class ShardWriter(WholeFile):
    """Writes one shard.

    Args:
        path: where the shard will be.
    """

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self._pack = zlib.compressobj(LEVEL, zlib.DEFLATED, _GZIP)
        self._file = open(self._temporary, "wb")  # noqa: SIM115  (closed by _close)

    def write(self, records: Iterable[bytes]) -> None:
        """Appends records."""
        self._file.write(self._pack.compress(b"".join(part for record in records for part in _framed(record))))

    def _finish(self) -> None:
        self._file.write(self._pack.flush())

    def _close(self) -> None:
        self._file.close()


def write_whole(path: str, data: bytes) -> None:
    """Writes a small file whole or not at all."""
    temporary = f"{path}.{uuid.uuid4().hex}"
    with open(temporary, "wb") as file:
        file.write(data)
    os.replace(temporary, path)


def _framed(record: bytes) -> tuple[bytes, bytes, bytes]:
    return _header(len(record)), record, struct.pack("<I", masked_crc(record))


@lru_cache(maxsize=1 << 16)
def _header(length: int) -> bytes:
    packed = struct.pack("<Q", length)
    return packed + struct.pack("<I", masked_crc(packed))


def masked_crc(data: bytes) -> int:
    """The masked CRC-32C of some bytes."""
    crc: int = google_crc32c.value(data)
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF
