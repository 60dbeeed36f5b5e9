"""The error of a request that is too large."""

from __future__ import annotations


class TooLargeError(Exception):
    """A request's body is over a limit: status 413, which gRPC's codes have no name for."""
