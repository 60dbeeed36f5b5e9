"""When memory is given back, and that it is."""

from __future__ import annotations

import platform
import subprocess
import sys
from pathlib import Path

import pytest

from serving.server.free_memory import FreeMemory

MIB = 1 << 20
ROOT = Path(__file__).parents[4]


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


_FRAGMENTED = """
import ctypes
from serving.server.free_memory import FreeMemory, _resident
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
libc.free.argtypes = [ctypes.c_void_p]
memory = FreeMemory(rest_seconds=0.0)
memory.look()
before = _resident()
blocks = [libc.malloc(64 << 10) for _ in range(2000)]
for block in blocks:
    ctypes.memset(block, 1, 64 << 10)
blocks.pop()  # it stays, and with it the heap before it; a smaller one might find room below
for block in blocks:
    libc.free(block)
print(_resident() - before)
memory.look()
print(_resident() - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library")
def test_what_the_c_library_keeps_goes_back_to_the_system() -> None:
    # In a process of its own: the heap of this one has room from other tests.
    ended = subprocess.run([sys.executable, "-c", _FRAGMENTED], cwd=ROOT, capture_output=True, text=True, check=True)
    kept, left = map(int, ended.stdout.split())
    assert kept > 100 * MIB
    assert left < 20 * MIB
