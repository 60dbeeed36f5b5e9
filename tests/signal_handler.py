"""How this process takes a signal, for a test."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def signal_handler(number: signal.Signals, handler: Callable[..., Any] | int | None = signal.SIG_DFL) -> Iterator[None]:
    """As if a program had just begun; shells in the background and pytest-xdist's workers have some ignored."""
    before = signal.signal(number, handler)
    try:
        yield
    finally:
        signal.signal(number, before)
