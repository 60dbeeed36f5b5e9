"""The one error that a request may end in; each protocol turns it into its own."""

from __future__ import annotations

import grpc


class RequestError(Exception):
    """What was wrong with a request, for whoever sent it.

    Args:
        code: gRPC's status; REST has its own for each.
        message: what was wrong.
    """

    def __init__(self, code: grpc.StatusCode, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def invalid(message: str) -> RequestError:
    """The request itself is wrong."""
    return RequestError(grpc.StatusCode.INVALID_ARGUMENT, message)


def not_found(message: str) -> RequestError:
    """There is no such model, or version of it."""
    return RequestError(grpc.StatusCode.NOT_FOUND, message)
