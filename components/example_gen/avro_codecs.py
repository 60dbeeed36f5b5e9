"""How the blocks of Avro files are unpacked, by the name of the codec in their head."""

from __future__ import annotations

import bz2
import lzma
import struct
import zlib
from collections.abc import Callable

import pyarrow as pa


def _deflate(data: bytes) -> bytes:
    return zlib.decompress(data, -zlib.MAX_WBITS)


def _snappy(data: bytes) -> bytes:
    size = 0
    for position, byte in enumerate(data[:5]):
        size |= (byte & 0x7F) << 7 * position
        if byte < 0x80:
            break
    unpacked: bytes = pa.decompress(data[:-4], size, codec="snappy", asbytes=True)
    if zlib.crc32(unpacked) != struct.unpack(">I", data[-4:])[0]:
        raise ValueError("the checksum is wrong")
    return unpacked


def _zstandard(data: bytes) -> bytes:
    unpacked: bytes = pa.CompressedInputStream(pa.BufferReader(data), "zstd").read()
    return unpacked


CODECS: dict[str, Callable[[bytes], bytes]] = {
    "null": bytes,
    "deflate": _deflate,
    "snappy": _snappy,
    "zstandard": _zstandard,
    "bzip2": bz2.decompress,
    "xz": lzma.decompress,
}
