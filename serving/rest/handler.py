"""Answers to REST requests, apart from HTTP's transport."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import Executor
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from http import HTTPStatus

import grpc

from serving.rest.answer import Answer
from serving.rest.call import Call
from serving.rest.example_request import read_examples
from serving.rest.gzip_body import unpacked
from serving.rest.json_answer import classification_json, predictions_json, regression_json
from serving.rest.json_document import parse_document
from serving.rest.limits import RestLimits
from serving.rest.model_json import metadata_json, status_json
from serving.rest.predict_request import PredictRequest, read_predict_request, signature_name
from serving.rest.route import Route
from serving.server.answer_size import is_small
from serving.server.classify import classify
from serving.server.example_input import serialized_examples
from serving.server.manager import ModelManager
from serving.server.metrics import Metrics
from serving.server.on_thread import on_thread
from serving.server.regress import regress
from serving.server.request_error import RequestError, invalid
from serving.server.servable import DEFAULT_SIGNATURE, Servable

# Parsed JSON takes many times the memory of its text, so large requests are parsed one after the other.
_LARGE_BODY = 8 << 20
_UNPACKED_RATIO = 1000  # Deflate makes nothing smaller than this.
# What holds an event loop up for at most some milliseconds, also where the text is faulty.
_QUICK_BODY = 16 << 10
_QUICK_VALUES = 2048


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

    def call(
        self, method: str, path: str, headers: Mapping[bytes, bytes], body: bytes, began: float | None = None
    ) -> Call:
        """A request, to be answered once.

        Args:
            method: of HTTP, in capitals.
            path: as it was sent, with the query.
            headers: by name in small letters.
            body: as it was sent.
            began: when it had come, of `time.monotonic()`; default: now. It may have waited since.
        """
        began = time.monotonic() if began is None else began
        deadline = began + self._limits.request_seconds
        return Call(method, path, headers, body, deadline=deadline, began=began, metrics=self._metrics)

    def is_quick(self, call: Call) -> bool:
        """Whether a request may be answered by `answer_on_loop`: a small Predict, where requests are combined."""
        return self._manager.batches and call.predicts and len(call.body) <= _QUICK_BODY and not call.is_packed

    def answer(self, call: Call) -> Answer:
        """The answer to a request; never raises."""
        with call:
            call.answer = _preflight(call.headers) if call.method == "OPTIONS" else self._answer(call)
        return call.answer

    async def answer_on_loop(self, call: Call, threads: Executor) -> Answer:
        """As `answer`, on an event loop, without a thread that waits for the batch.

        Args:
            call: that `is_quick`.
            threads: for what would hold up the loop.

        Raises:
            asyncio.CancelledError: nobody waits for it any more, and nothing of it runs.
        """
        with call, self._predict_request(call, call.route()) as (servable, name, request):
            outputs = await servable.answer(name, request.feeds, deadline=call.deadline, threads=threads)
            if is_small(outputs, _QUICK_VALUES):
                text = predictions_json(outputs, rows=request.rows)
            else:
                text = await on_thread(threads, predictions_json, outputs, rows=request.rows)
            call.answer = Answer(HTTPStatus.OK, text)
        return call.answer

    def _answer(self, call: Call) -> Answer:
        route = call.route()
        if route.action == "status":
            text = status_json(self._manager.states(route.model, route.version, route.label))
        elif route.action == "metadata":
            with self._manager.lease(route.model, route.version, route.label) as servable:
                text = metadata_json(servable)
        elif route.action == "predict":
            with self._predict_request(call, route) as (servable, name, request):
                outputs = servable.run(name, request.feeds, deadline=call.deadline)
                text = predictions_json(outputs, rows=request.rows)
        else:
            text = self._inference(call, route)
        return Answer(HTTPStatus.OK, text)

    def _inference(self, call: Call, route: Route) -> bytes:
        """Classify and Regress."""
        with self._room(call):
            body = self._text(call)
            document = parse_document(body)
            signature = signature_name(document) or None
            examples = serialized_examples(read_examples(document, body))
            del document, body
        with self._lease(route) as servable:
            if route.action == "classify":
                return classification_json(classify(servable, signature, examples, call.deadline))
            return regression_json(regress(servable, signature, examples, call.deadline))

    @contextmanager
    def _predict_request(self, call: Call, route: Route) -> Iterator[tuple[Servable, str, PredictRequest]]:
        """The version that answers, its signature, and what it is asked.

        What cannot be answered in the form that JSON has is an error of the version, too.
        """
        with ExitStack() as stack:
            with self._room(call):
                text = self._text(call)
                document = parse_document(text)
                given = signature_name(document)
                servable = stack.enter_context(self._lease(route))
                name = given or DEFAULT_SIGNATURE
                if name not in servable.signatures:
                    raise invalid(f'Serving signature name: "{name}" not found in signature def')
                request = read_predict_request(document, text, given, servable.signatures[name])
                del document, text
            yield servable, name, request

    def _lease(self, route: Route) -> AbstractContextManager[Servable]:
        return self._manager.lease(route.model, route.version, route.label, predicts=True)

    def _room(self, call: Call) -> AbstractContextManager[object]:
        """Waits until no other request takes much memory, if this one may."""
        large = _LARGE_BODY // _UNPACKED_RATIO if call.is_packed else _LARGE_BODY
        return self._large if len(call.body) > large else nullcontext()

    def _text(self, call: Call) -> bytes:
        return unpacked(call.body, self._limits.body_bytes) if call.is_packed else call.body


def _preflight(headers: Mapping[bytes, bytes]) -> Answer:
    if re.search(rb"https?://", headers.get(b"origin", b"")):
        return Answer(HTTPStatus.OK, b"")
    raise RequestError(grpc.StatusCode.FAILED_PRECONDITION, "Origin header is missing in CORS preflight")
