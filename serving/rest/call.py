"""A call of the REST API: what was sent, its time, its errors, and that it is counted."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager
from http import HTTPStatus
from types import TracebackType

import grpc

from serving.rest.answer import Answer, failure
from serving.rest.route import Route, read_route
from serving.rest.too_large import TooLargeError
from serving.server.metrics import Metrics
from serving.server.request_error import RequestError

_LOG = logging.getLogger(__name__)
_STATUSES = {
    grpc.StatusCode.OK: 200,
    grpc.StatusCode.CANCELLED: 499,
    grpc.StatusCode.INVALID_ARGUMENT: 400,
    grpc.StatusCode.DEADLINE_EXCEEDED: 504,
    grpc.StatusCode.NOT_FOUND: 404,
    grpc.StatusCode.ALREADY_EXISTS: 409,
    grpc.StatusCode.PERMISSION_DENIED: 403,
    grpc.StatusCode.RESOURCE_EXHAUSTED: 429,
    grpc.StatusCode.FAILED_PRECONDITION: 400,
    grpc.StatusCode.ABORTED: 409,
    grpc.StatusCode.OUT_OF_RANGE: 400,
    grpc.StatusCode.UNIMPLEMENTED: 501,
    grpc.StatusCode.UNAVAILABLE: 503,
    grpc.StatusCode.UNAUTHENTICATED: 401,
}


class Call(AbstractContextManager["Call"]):
    """A request below `/v1/` while it is answered: an error that ends the `with` becomes its answer.

    Args:
        method: of HTTP, in capitals.
        path: as it was sent, with the query.
        headers: by name in small letters.
        body: as it was sent.
        deadline: of `time.monotonic()`.
        began: when it had come; it may have waited since.
        metrics: where it is counted at the end of the `with`.

    Attributes:
        answer: what goes back.
    """

    answer: Answer

    def __init__(
        self,
        method: str,
        path: str,
        headers: Mapping[bytes, bytes],
        body: bytes,
        *,
        deadline: float,
        began: float,
        metrics: Metrics,
    ) -> None:
        self.method = method
        self.headers = headers
        self.body = body
        self.deadline = deadline
        self._path = path
        self._began = began
        self._metrics = metrics
        self._route: Route | None = None

    @property
    def is_packed(self) -> bool:
        """Whether its body is under gzip; other encodings are not looked at, as in TensorFlow Serving."""
        return b"gzip" in self.headers.get(b"content-encoding", b"").lower()

    @property
    def predicts(self) -> bool:
        """Whether it asks for a Predict; what else is wrong with it is not known."""
        return self.method == "POST" and self._path.endswith(":predict")

    def route(self) -> Route:
        """What it asks for.

        Raises:
            RequestError: INVALID_ARGUMENT: nothing that there is; DEADLINE_EXCEEDED.
        """
        self._route = read_route(self.method, self._path)
        if time.monotonic() >= self.deadline:
            raise RequestError(grpc.StatusCode.DEADLINE_EXCEEDED, "The time for the request was over at its turn.")
        return self._route

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        code = grpc.StatusCode.OK
        if isinstance(error, RequestError):
            code = error.code
            self.answer = failure(_STATUSES.get(code, HTTPStatus.INTERNAL_SERVER_ERROR), error.message)
        elif isinstance(error, TooLargeError):
            code = grpc.StatusCode.INVALID_ARGUMENT
            self.answer = failure(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, str(error))
        elif isinstance(error, MemoryError):
            code = grpc.StatusCode.RESOURCE_EXHAUSTED
            self.answer = failure(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "Request needs more memory than there is.")
        elif isinstance(error, Exception):
            # The client learns nothing of the server's inside; the log does.
            _LOG.error("REST request failed: %s %s", self.method, self._path, exc_info=error)
            code = grpc.StatusCode.INTERNAL
            self.answer = failure(HTTPStatus.INTERNAL_SERVER_ERROR, "Internal error.")
        elif error is not None:  # nobody hears the answer
            code = grpc.StatusCode.CANCELLED
        # As in TensorFlow Serving: all is counted, and only calls of a model have the name of an API.
        self._metrics.record(
            self._route.model if self._route else "",
            code,
            api=self._route.action if self._route and self.method == "POST" else "",
            entrypoint="REST",
            seconds=time.monotonic() - self._began,
        )
        return isinstance(error, Exception)
