"""Memory that is free in this process, and that the system does not get back by itself."""

from __future__ import annotations

import ctypes
import os
import time
from collections.abc import Callable
from pathlib import Path

_PAGE_COUNTS = Path("/proc/self/statm")
_WORTH_BYTES = 64 << 20


class FreeMemory:
    """Gives back what large requests and versions that were unloaded leave in the heaps of the C library.

    glibc keeps what threads have freed, for each of its many heaps (malloc_trim(3)): without this a server stays for
    ever as large as its heaviest minute was. Where there is no glibc, nothing is done.

    Args:
        resident: bytes of this process that are in memory; default: as Linux tells it.
        trim: gives back; default: glibc's `malloc_trim`.
        rest_seconds: from one look at the size to the next.
    """

    def __init__(
        self,
        resident: Callable[[], int] | None = None,
        trim: Callable[[], None] | None = None,
        rest_seconds: float = 5.0,
    ) -> None:
        self._resident = resident or _resident
        self._trim = trim or _malloc_trim
        self._rest_seconds = rest_seconds
        self._least: int | None = None  # bytes
        self._again = False
        self._next = 0.0

    def look(self) -> None:
        """Gives back, if the process has grown since the last time by what is worth it; to be called now and then."""
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + self._rest_seconds
        now = self._resident()
        if self._least is None:
            self._least = now
        elif self._again or now >= self._least + _WORTH_BYTES:
            self._trim()
            self._least = self._resident()
            # Requests that ran meanwhile have ended by the next look.
            self._again = now - self._least >= _WORTH_BYTES
        else:
            self._least = min(self._least, now)


def _resident() -> int:
    try:
        return int(_PAGE_COUNTS.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


def _malloc_trim() -> None:
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
