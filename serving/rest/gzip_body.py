"""Bodies under gzip, unpacked within a bound."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from serving.rest.too_large import TooLargeError
from serving.server.request_error import invalid

_GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS
_PIECE = 1 << 20
# Deflate makes nothing smaller than a thousandth: below this, counting first saves no memory.
_WORTH_COUNTING = 16 << 10


def unpacked(body: bytes, limit: int) -> bytes:
    """A body without its compression.

    A large body is unpacked twice, the first time only to count: a bomb is refused before it takes memory.

    Args:
        body: gzip, one or several members.
        limit: of the result, in bytes.

    Raises:
        RequestError: INVALID_ARGUMENT: it is no gzip, or is cut off.
        TooLargeError: the result is over the limit.
    """
    if len(body) > _WORTH_COUNTING:
        _check(sum(len(piece) for piece in _counted(body, limit)), limit)
    return b"".join(_counted(body, limit))


def _counted(body: bytes, limit: int) -> Iterator[bytes]:
    total = 0
    for piece in _pieces(body):
        total += len(piece)
        _check(total, limit)
        yield piece


def _pieces(body: bytes) -> Iterator[bytes]:
    rest = body
    try:
        while rest:
            stream = zlib.decompressobj(_GZIP_OR_ZLIB)
            while not stream.eof:
                piece = stream.decompress(rest, _PIECE)
                rest = stream.unconsumed_tail
                if not piece and not rest and not stream.eof:
                    raise invalid("Failed to uncompress the request's body: it is cut off.")
                yield piece
            rest = stream.unused_data
    except zlib.error as error:
        raise invalid(f"Failed to uncompress the request's body: {error}") from error


def _check(size: int, limit: int) -> None:
    if size > limit:
        raise TooLargeError(f"Request body is larger than {limit} bytes when uncompressed.")
