"""Calls to a store that are tried again while it cannot be reached."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable
from typing import TypeVar

from runners.metadata.backend import StoreUnreachableError

_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 5.0  # seconds
Given = TypeVar("Given")


def retry(call: Callable[[], Given], seconds: float) -> Given:
    """What `call` gives, tried again for a while as long as it raises StoreUnreachableError.

    Args:
        call: what is tried, at least once.
        seconds: how long; the pauses double, with jitter, so that many clients do not come back at once.

    Raises:
        StoreUnreachableError: the last one, when the time is over.
    """
    deadline = time.monotonic() + seconds
    pause, said = _FIRST_PAUSE, None
    while True:
        try:
            return call()
        except StoreUnreachableError as error:
            left = deadline - time.monotonic()
            if left <= 0:
                error.fix += f" It was tried for {seconds:g} seconds (metadata.retry_seconds)."
                raise
            if error.received != said:
                logging.warning("The metadata store is tried again. %s: %s", error.where, error.received)
                said = error.received
            time.sleep(min(left, pause * random.uniform(0.5, 1.0)))
            pause = min(2 * pause, _LONGEST_PAUSE)
