"""When memory is given back, and that it is."""

from __future__ import annotations

import ctypes
import platform
from pathlib import Path

import pytest

from serving.server.free_memory import FreeMemory

MIB = 1 << 20


def test_it_is_given_back_once_the_process_has_grown_by_64_mib() -> None:
    # What is looked at, in MiB: 500 at first, 563 and 564 later, 510 after the first time; 573 is no 574.
    seen = iter([500, 563, 564, 510, 573, 574, 520])
    given = []
    memory = FreeMemory(lambda: next(seen) * MIB, lambda: given.append(1), rest_seconds=0.0)
    counts = []
    for _ in range(5):
        memory.look()
        counts.append(len(given))
    assert counts == [0, 0, 1, 1, 2]


def test_a_process_that_has_become_smaller_is_measured_by_that() -> None:
    seen = iter([500, 400, 464, 410])
    given = []
    memory = FreeMemory(lambda: next(seen) * MIB, lambda: given.append(1), rest_seconds=0.0)
    for _ in range(3):
        memory.look()
    assert given == [1]


def test_as_long_as_much_comes_of_it_it_is_done_again() -> None:
    # 700 becomes 600, and at the next look 601 becomes 590: that was not much.
    seen = iter([500, 700, 600, 601, 590, 591])
    given = []
    memory = FreeMemory(lambda: next(seen) * MIB, lambda: given.append(1), rest_seconds=0.0)
    for _ in range(4):
        memory.look()
    assert len(given) == 2


def test_between_two_looks_it_rests() -> None:
    looks = []
    memory = FreeMemory(lambda: looks.append(1) or 0, rest_seconds=3600.0)
    memory.look()
    memory.look()
    assert looks == [1]


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library")
def test_what_the_c_library_keeps_goes_back_to_the_system() -> None:
    libc = ctypes.CDLL(None)
    libc.malloc.restype = ctypes.c_void_p
    libc.free.argtypes = [ctypes.c_void_p]
    memory = FreeMemory(rest_seconds=0.0)
    memory.look()
    before = _resident()
    # A small block at the end, which stays, keeps the heap from shrinking by itself.
    blocks = [libc.malloc(64 << 10) for _ in range(2000)]
    for block in blocks:
        ctypes.memset(block, 1, 64 << 10)
    last = libc.malloc(1 << 10)
    for block in blocks:
        libc.free(block)
    kept = _resident()
    memory.look()
    assert kept - before > 100 * MIB
    assert _resident() - before < 20 * MIB
    libc.free(last)


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096
