"""The ASGI application that speaks TensorFlow Serving's REST protocol."""

from __future__ import annotations

import asyncio
import gzip
import re
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Executor
from http import HTTPStatus
from typing import Any

from serving.canaries_seen import PATH, CanariesSeen
from serving.rest.answer import Answer, failure
from serving.rest.handler import RestHandler
from serving.rest.limits import RestLimits
from serving.rest.metrics_text import metrics_text
from serving.server.manager import ModelManager
from serving.server.metrics import Metrics
from serving.server.on_thread import on_thread
from serving.server.request_error import RequestError
from serving.server.worker_threads import WorkerThreads

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

_ENDED = "The server has ended."
METRICS_PATH = "/monitoring/prometheus/metrics"
_API = re.compile("/v1/.*|/v1/models", re.IGNORECASE | re.DOTALL)
_CORS = [
    (b"access-control-allow-origin", b"*"),
    (b"access-control-allow-methods", b"POST, GET"),
    (b"access-control-allow-headers", b"Content-Type"),
]
_QUICK_PACKING = 64 << 10  # bytes; more is packed by a thread
_WORTH_PACKING = 1024  # bytes; below, gzip adds more than it takes


class RestApplication:
    """Routes of TensorFlow Serving below `/v1/`, metrics, `/monitoring/canary`, and `/healthz` and `/readyz`.

    `/healthz` answers 200 as long as the process answers at all; `/readyz` answers 200 when every model has been
    available and the server does not drain, otherwise 503.

    Args:
        manager: the models.
        metrics: what has been counted.
        limits: of body and time.
        executor: runs the requests; its threads bound how many at a time.
        draining: whether the server is going down.
        cors: whether pages of other origins may read what the API answers.
    """

    def __init__(
        self,
        manager: ModelManager,
        metrics: Metrics,
        limits: RestLimits,
        executor: Executor,
        draining: Callable[[], bool] = lambda: False,
        *,
        cors: bool = False,
    ) -> None:
        self._manager = manager
        self._metrics = metrics
        self._limits = limits
        self._executor = executor
        self._counting = WorkerThreads(4, thread_name_prefix="metrics")
        self._draining = draining
        self._more_headers = _CORS if cors else []
        self._handler = RestHandler(manager, metrics, limits)
        self._buffered = 0

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """One request, of ASGI's type http."""
        place = scope["raw_path"].decode("latin-1")
        # As in TensorFlow Serving, what follows a question mark is part of the path.
        path = f"{place}?{scope['query_string'].decode('latin-1')}" if scope["query_string"] else place
        headers = dict(scope["headers"])
        if _API.fullmatch(path) is None:
            # What is counted takes time: not here, where all connections wait, nor where requests wait for their turn.
            asked = (scope["method"], place, path)
            if place in (METRICS_PATH, PATH):
                try:
                    answer = await on_thread(self._counting, self._other, *asked)
                except RequestError as error:
                    answer = failure(HTTPStatus.SERVICE_UNAVAILABLE, error.message)
            else:
                answer = self._other(*asked)
            await _reply(send, answer)
            return
        body = bytearray()
        try:
            try:
                refused = await self._read(receive, headers, body)
            except asyncio.CancelledError:  # by uvicorn, at the end of the time that the server's end has
                refused = failure(HTTPStatus.SERVICE_UNAVAILABLE, _ENDED)
            if refused is None:
                await self._work(scope["method"], path, headers, body, receive, send)
            elif refused.status:
                await _reply(send, refused, more=self._more_headers)
        finally:
            self._buffered -= len(body)

    async def _read(self, receive: Receive, headers: dict[bytes, bytes], body: bytearray) -> Answer | None:
        """Fills the body; what it is refused with (with status 0: the client is gone)."""
        length = headers.get(b"content-length", b"")
        too_large = failure(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"Request body is larger than {self._limits.body_bytes} bytes."
        )
        if length.isdigit() and int(length) > self._limits.body_bytes:
            return too_large
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return Answer(0, b"")
            piece = message.get("body", b"")
            more = message.get("more_body", False)
            if len(body) + len(piece) > self._limits.body_bytes:
                return too_large
            if self._buffered + len(piece) > self._limits.buffered_bytes:
                return failure(HTTPStatus.SERVICE_UNAVAILABLE, "The server is full of requests: try later.")
            body += piece
            self._buffered += len(piece)
        return None

    async def _work(
        self,
        method: str,
        path: str,
        headers: dict[bytes, bytes],
        body: bytearray,
        receive: Receive,
        send: Send,
    ) -> None:
        call = self._handler.call(method, path, headers, body)

        def in_thread() -> tuple[Answer, bytes | None]:
            return _packed(self._handler.answer(call), headers)

        async def on_loop() -> tuple[Answer, bytes | None]:
            answer = await self._handler.answer_on_loop(call, self._executor)
            if len(answer.body) <= _QUICK_PACKING:
                return _packed(answer, headers)
            return await on_thread(self._executor, _packed, answer, headers)

        # A body that a thread has begun to read stays until it has ended, also when nobody waits for the answer.
        try:
            job = None if self._handler.is_quick(call) else self._executor.submit(in_thread)
        except RequestError as error:
            with call:
                raise error
            await _reply(send, call.answer, more=self._more_headers)
            return
        work = asyncio.ensure_future(on_loop() if job is None else asyncio.wrap_future(job))
        # After the body, the only thing to receive is that the client is gone.
        gone = asyncio.ensure_future(receive())
        either: set[asyncio.Future[Any]] = {work, gone}
        try:
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if not work.done():
                # What has not begun does not begin; what runs ends unheard, before its body goes.
                (work if job is None else job).cancel()
                await asyncio.wait({work})
                return
        except asyncio.CancelledError:  # by uvicorn, as above: a thread cannot be stopped, and nobody hears its answer
            work.cancel()
            await _reply(send, failure(HTTPStatus.SERVICE_UNAVAILABLE, _ENDED), more=self._more_headers)
            return
        finally:
            gone.cancel()
        answer, packed = work.result()
        await _reply(send, answer, packed, self._more_headers)

    def _other(self, method: str, place: str, path: str) -> Answer:
        """Paths outside the API, without and with what follows a question mark."""
        if place == METRICS_PATH:  # whatever the method, as in TensorFlow Serving
            if path != place:
                wrong = f"Unexpected path: {path}. Should be {place}"
                return Answer(HTTPStatus.BAD_REQUEST, wrong.encode("latin-1"), "text/plain")
            text = metrics_text(self._metrics, self._manager.canaries(), self._manager.runs)
            return Answer(HTTPStatus.OK, text.encode("utf-8", "replace"), "text/plain")
        if method in ("GET", "HEAD"):
            if place == PATH:
                models = {name: one.told() for name, one in self._manager.canaries().items()}
                return Answer(HTTPStatus.OK, CanariesSeen(models=models).model_dump_json().encode())
            if place == "/healthz":
                return Answer(HTTPStatus.OK, b"ok\n", "text/plain")
            if place == "/readyz":
                if self._draining() or not self._manager.ready():
                    return Answer(HTTPStatus.SERVICE_UNAVAILABLE, b"not ready\n", "text/plain")
                return Answer(HTTPStatus.OK, b"ok\n", "text/plain")
        return failure(HTTPStatus.NOT_FOUND, f"Not found: {method} {path}")


def _packed(answer: Answer, headers: dict[bytes, bytes]) -> tuple[Answer, bytes | None]:
    """An answer, and what of it goes out packed; None: it goes as it is."""
    if len(answer.body) >= _WORTH_PACKING and _takes_gzip(headers):
        return answer, gzip.compress(answer.body, compresslevel=1, mtime=0)
    return answer, None


def _takes_gzip(headers: dict[bytes, bytes]) -> bool:
    for accepted in headers.get(b"accept-encoding", b"").lower().split(b","):
        name, _, weight = accepted.replace(b" ", b"").partition(b";q=")
        if name in (b"gzip", b"*"):
            return weight.strip(b"0.") != b"" or not weight
    return False


async def _reply(
    send: Send, answer: Answer, packed: bytes | None = None, more: Sequence[tuple[bytes, bytes]] = ()
) -> None:
    body = answer.body if packed is None else packed
    fields = [(b"content-type", answer.content_type.encode("ascii")), (b"content-length", b"%d" % len(body)), *more]
    if packed is not None:
        fields += [(b"content-encoding", b"gzip"), (b"vary", b"Accept-Encoding")]
    await send({"type": "http.response.start", "status": answer.status, "headers": fields})
    await send({"type": "http.response.body", "body": body})
