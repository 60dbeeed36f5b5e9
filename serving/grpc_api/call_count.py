"""How many calls are being answered, so that the server can end as soon as there are none."""

from __future__ import annotations

import threading


class CallCount:
    """Counts what has begun and not ended; safe to use from any thread.

    Attributes:
        count: how many there are.
    """

    def __init__(self) -> None:
        # That of a thread that is interrupted here, too: the collector may end a call whose message never came.
        self._lock = threading.RLock()
        self._changed = threading.Condition(self._lock)
        self.count = 0

    def begin(self) -> None:
        """One more."""
        with self._lock:
            self.count += 1

    def end(self, *_: object) -> None:
        """One less."""
        with self._lock:
            self.count -= 1
            if self.count == 0:
                self._changed.notify_all()

    def wait(self, seconds: float) -> bool:
        """Waits until there are none; whether that was so in time."""
        with self._changed:
            return self._changed.wait_for(lambda: self.count == 0, seconds)
