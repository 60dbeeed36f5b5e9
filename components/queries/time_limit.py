"""The time that a query may take."""

from __future__ import annotations

import time

_SHORTEST = 0.001


class TimeLimit:
    """Counts from now on.

    Args:
        seconds: for the query and its rows; None: there is no limit.
    """

    def __init__(self, seconds: float | None) -> None:
        self._ends = None if seconds is None else time.monotonic() + seconds

    @property
    def rest(self) -> float | None:
        """Seconds that are left; never 0, for which a socket would not wait at all. None: there is no limit."""
        return None if self._ends is None else max(_SHORTEST, self._ends - time.monotonic())

    @property
    def over(self) -> bool:
        """Whether none are left."""
        return self.rest == _SHORTEST

    def check(self) -> None:
        """Lets pass as long as some are left.

        Raises:
            TimeoutError: none are.
        """
        if self.over:
            raise TimeoutError("The time is over.")
