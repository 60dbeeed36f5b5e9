"""Answers to REST requests, apart from HTTP's transport."""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass
from http import HTTPStatus

import grpc

from serving.rest.example_request import read_examples
from serving.rest.gzip_body import unpacked
from serving.rest.json_answer import classification_json, error_json, predictions_json, regression_json
from serving.rest.json_document import parse_document
from serving.rest.limits import RestLimits
from serving.rest.model_json import metadata_json, status_json
from serving.rest.predict_request import read_predict_request, signature_name
from serving.rest.route import Route, read_route
from serving.rest.too_large import TooLargeError
from serving.server.classify import classify
from serving.server.example_input import serialized_examples
from serving.server.manager import ModelManager
from serving.server.metrics import Metrics
from serving.server.regress import regress
from serving.server.request_error import RequestError, invalid
from serving.server.servable import DEFAULT_SIGNATURE, Servable

_LOG = logging.getLogger(__name__)

# Parsed JSON takes many times the memory of its text, so large requests are parsed one after the other.
_LARGE_BODY = 8 << 20
_UNPACKED_RATIO = 1000  # Deflate makes nothing smaller than this.
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


@dataclass(frozen=True)
class Answer:
    """What goes back.

    Attributes:
        status: of HTTP.
        body: JSON, or the text of another type.
        content_type: of the body.
    """

    status: int
    body: bytes
    content_type: str = "application/json"


class RestHandler:
    """Answers requests below `/v1/`; safe to use from any thread.

    Args:
        manager: the models.
        metrics: counts what is answered.
        limits: of body and time.
    """

    def __init__(self, manager: ModelManager, metrics: Metrics, limits: RestLimits) -> None:
        self._manager = manager
        self._metrics = metrics
        self._limits = limits
        self._large = threading.Lock()

    def answer(
        self, method: str, path: str, headers: Mapping[bytes, bytes], body: bytes, began: float | None = None
    ) -> Answer:
        """The answer to one request; never raises.

        Args:
            method: of HTTP, in capitals.
            path: as it was sent, without the query.
            headers: by name in small letters.
            body: as it was sent.
            began: when it had come, of `time.monotonic()`; default: now. It may have waited since.
        """
        began = time.monotonic() if began is None else began
        route: Route | None = None
        code = grpc.StatusCode.OK
        try:
            if method == "OPTIONS":
                answer = _preflight(headers)
            else:
                route = read_route(method, path)
                deadline = began + self._limits.request_seconds
                if time.monotonic() >= deadline:
                    raise RequestError(
                        grpc.StatusCode.DEADLINE_EXCEEDED, "The time for the request was over at its turn."
                    )
                answer = Answer(HTTPStatus.OK, self._answer(route, headers, body, deadline))
        except RequestError as error:
            code = error.code
            answer = failure(_STATUSES.get(code, HTTPStatus.INTERNAL_SERVER_ERROR), error.message)
        except TooLargeError as error:
            code = grpc.StatusCode.INVALID_ARGUMENT
            answer = failure(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, str(error))
        except MemoryError:
            code = grpc.StatusCode.RESOURCE_EXHAUSTED
            answer = failure(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "Request needs more memory than there is.")
        except Exception:
            # The client learns nothing of the server's inside; the log does.
            _LOG.exception("REST request failed: %s %s", method, path)
            code = grpc.StatusCode.INTERNAL
            answer = failure(HTTPStatus.INTERNAL_SERVER_ERROR, "Internal error.")
        # As in TensorFlow Serving: all is counted, and only calls of a model have the name of an API.
        self._metrics.record(
            route.model if route else "",
            code,
            api=route.action if route and method == "POST" else "",
            entrypoint="REST",
            seconds=time.monotonic() - began,
        )
        return answer

    def _answer(self, route: Route, headers: Mapping[bytes, bytes], body: bytes, deadline: float) -> bytes:
        if route.action == "status":
            return status_json(self._manager.states(route.model, route.version, route.label))
        if route.action == "metadata":
            with self._manager.lease(route.model, route.version, route.label) as servable:
                return metadata_json(servable)
        if route.action == "predict":
            return self._predict(route, headers, body, deadline)
        with self._room(headers, body):
            text = self._text(headers, body)
            document = parse_document(text)
            signature = signature_name(document) or None
            examples = serialized_examples(read_examples(document, text))
            del document
        with self._lease(route) as servable:
            if route.action == "classify":
                return classification_json(classify(servable, signature, examples, deadline))
            return regression_json(regress(servable, signature, examples, deadline))

    def _predict(self, route: Route, headers: Mapping[bytes, bytes], body: bytes, deadline: float) -> bytes:
        with ExitStack() as stack:
            with self._room(headers, body):
                text = self._text(headers, body)
                document = parse_document(text)
                given = signature_name(document)
                servable = stack.enter_context(self._lease(route))
                name = given or DEFAULT_SIGNATURE
                if name not in servable.signatures:
                    raise invalid(f'Serving signature name: "{name}" not found in signature def')
                request = read_predict_request(document, text, given, servable.signatures[name])
                del document, text
            # What cannot be answered in this form is an error of the version, too.
            return predictions_json(servable.run(name, request.feeds, deadline=deadline), rows=request.rows)

    def _lease(self, route: Route) -> AbstractContextManager[Servable]:
        return self._manager.lease(route.model, route.version, route.label, predicts=True)

    def _room(self, headers: Mapping[bytes, bytes], body: bytes) -> AbstractContextManager[object]:
        """Waits until no other request takes much memory, if this one may."""
        large = _LARGE_BODY // _UNPACKED_RATIO if _encoding(headers) else _LARGE_BODY
        return self._large if len(body) > large else nullcontext()

    def _text(self, headers: Mapping[bytes, bytes], body: bytes) -> bytes:
        encoding = _encoding(headers)
        if not encoding:
            return body
        if encoding not in ("gzip", "x-gzip", "deflate"):
            raise invalid(f"Content-Encoding {encoding} is not known: use gzip or none.")
        return unpacked(body, self._limits.body_bytes)


def _preflight(headers: Mapping[bytes, bytes]) -> Answer:
    if re.search(rb"https?://", headers.get(b"origin", b"")):
        return Answer(HTTPStatus.OK, b"")
    raise RequestError(grpc.StatusCode.FAILED_PRECONDITION, "Origin header is missing in CORS preflight")


def _encoding(headers: Mapping[bytes, bytes]) -> str:
    found = headers.get(b"content-encoding", b"").decode("latin-1").strip().lower()
    return "" if found == "identity" else found


def failure(status: int, message: str) -> Answer:
    """An error, as every path answers it."""
    return Answer(status, error_json(message))
