from __future__ import annotations

import gzip
import tracemalloc
import zlib

import pytest

from serving.rest.gzip_body import unpacked
from serving.rest.too_large import TooLargeError
from serving.server.request_error import RequestError


def test_members_follow_each_other() -> None:
    assert unpacked(gzip.compress(b"ab") + gzip.compress(b"cd"), 4) == b"abcd"
    assert unpacked(zlib.compress(b"ab"), 2) == b"ab"
    assert unpacked(b"", 0) == b""


def test_as_large_as_the_limit_and_no_larger() -> None:
    text = bytes(range(256)) * 8192
    assert unpacked(gzip.compress(text), len(text)) == text
    with pytest.raises(TooLargeError):
        unpacked(gzip.compress(text), len(text) - 1)


@pytest.mark.parametrize(
    "body",
    [b"no gzip", gzip.compress(b"x" * 100)[:-9], gzip.compress(b"a") + b"rest"],
    ids=["plain", "cut off", "more behind"],
)
def test_what_is_no_gzip(body: bytes) -> None:
    with pytest.raises(RequestError, match="Failed to uncompress"):
        unpacked(body, 1000)


def test_a_bomb_takes_no_memory() -> None:
    bomb = gzip.compress(bytes(64 << 20))
    tracemalloc.start()
    try:
        with pytest.raises(TooLargeError):
            unpacked(bomb, 32 << 20)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 4 << 20
