"""The deadline of a request."""

from __future__ import annotations

import time

# Clients end a call at their own deadline, which gRPC rounds up by up to 2 % on its way here.
_SLACK = 0.02
_LEAST_SLACK = 0.02  # seconds


class Deadline:
    """When a request has to be answered.

    Args:
        at: of `time.monotonic()`; None: whenever.
        since: when its time began, of the same clock; default: now.
    """

    def __init__(self, at: float | None, since: float | None = None) -> None:
        self._at = at
        since = time.monotonic() if since is None else since
        self._slack = 0.0 if at is None else max((at - since) * _SLACK, _LEAST_SLACK)

    def ended_call(self) -> bool:
        """Whether a call that its client has just ended was ended by the deadline, and not given up."""
        return self._at is not None and time.monotonic() >= self._at - self._slack
