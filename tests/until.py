"""Waiting for what another thread or process does on its own."""

from __future__ import annotations

import time
from collections.abc import Callable


def until(condition: Callable[[], bool], seconds: float = 120.0) -> None:
    """Waits until it holds, and no longer than where something is wrong."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.002)
