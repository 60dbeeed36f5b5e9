"""What every call of gRPC has in common: where it is worked on, its deadline, its errors, and that it is counted."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any

import grpc
from google.protobuf.message import DecodeError, Message

from serving.grpc_api.call_count import CallCount
from serving.server.metrics import Metrics
from serving.server.request_error import RequestError

_LOG = logging.getLogger(__name__)
# The others are not counted by TensorFlow Serving.
_COUNTED = ("Predict", "Classify", "Regress")
_LONGEST = 1024  # bytes of an error's message, as in TensorFlow Serving: it goes in a header, which clients limit
_SMALL = 256 << 10  # bytes of a request: to read one with more would hold up the others of the loop


@dataclass(frozen=True)
class Method:
    """One method of a service.

    Attributes:
        api: its name.
        request: the type of its message.
        model: the model's name in a message.
        work: makes the answer by a deadline of `time.monotonic()`, in a thread.
        on_loop: the same for a small request, without a thread; default: it takes one, too.
    """

    api: str
    request: type[Message]
    model: Callable[[Any], str]
    work: Callable[[Any, float | None], Message]
    on_loop: Callable[[Any, float | None], Awaitable[Message]] | None = None


class Answering:
    """Answers calls.

    Args:
        metrics: where calls are counted.
        calls: those that are being answered, until the answer is sent, and what threads do for them.
        threads: that do what is not done on the event loop.
    """

    def __init__(self, metrics: Metrics, calls: CallCount, threads: Executor) -> None:
        self._metrics = metrics
        self._calls = calls
        self._threads = threads

    def service(self, name: str, *methods: Method) -> grpc.GenericRpcHandler:
        """What a server needs of a service: messages come and go as bytes, so that a thread can read a large one."""
        handlers = {one.api: grpc.unary_unary_rpc_method_handler(self._handler(one)) for one in methods}
        return grpc.method_handlers_generic_handler(name, handlers)

    def _handler(self, method: Method) -> Callable[[bytes, grpc.aio.ServicerContext], Awaitable[bytes]]:
        async def answer(data: bytes, context: grpc.aio.ServicerContext) -> bytes:
            return await self._answer(method, data, context)

        return answer

    async def _answer(self, method: Method, data: bytes, context: grpc.aio.ServicerContext) -> bytes:
        """The answer to a call; an error ends it with its code."""
        started = time.monotonic()
        self._calls.begin()
        context.add_done_callback(self._calls.end)
        left = context.time_remaining()
        # Without a deadline, grpc may say that there are some 300 billion years, which no lock can wait for.
        deadline = None if left is None or left > threading.TIMEOUT_MAX else started + left
        call = _Call(method, data, deadline)
        code = grpc.StatusCode.OK
        try:
            if method.on_loop is not None and len(data) <= _SMALL:
                return await call.on_loop(method.on_loop)
            self._calls.begin()
            work = self._threads.submit(call.in_thread)
            work.add_done_callback(self._calls.end)
            return await asyncio.wrap_future(work)
        except RequestError as error:
            code, message = error.code, error.message
        except asyncio.CancelledError:  # nobody hears the answer; gRPC ends the call
            over = deadline is not None and time.monotonic() >= deadline
            code = grpc.StatusCode.DEADLINE_EXCEEDED if over else grpc.StatusCode.CANCELLED
            raise
        except Exception as error:
            _LOG.exception("%s of model %s failed.", method.api, call.model)
            code, message = grpc.StatusCode.INTERNAL, f"{type(error).__name__}: {error}"
        finally:
            if method.api in _COUNTED and call.model is not None:
                seconds = time.monotonic() - started
                self._metrics.record(call.model, code, api=method.api, entrypoint="GRPC", seconds=seconds)
        encoded = message.encode("utf-8", "replace")
        if len(encoded) > _LONGEST:
            message = f"{encoded[:_LONGEST].decode('utf-8', 'ignore')}...TRUNCATED"
        await context.abort(code, message)
        raise AssertionError("abort raises")


class _Call:
    """A call of a method.

    Attributes:
        model: the model's name, once the message is read.
    """

    def __init__(self, method: Method, data: bytes, deadline: float | None) -> None:
        self.model: str | None = None
        self._method = method
        self._data = data
        self._deadline = deadline

    def in_thread(self) -> bytes:
        return self._method.work(self._request(), self._deadline).SerializeToString()

    async def on_loop(self, work: Callable[[Any, float | None], Awaitable[Message]]) -> bytes:
        return (await work(self._request(), self._deadline)).SerializeToString()

    def _request(self) -> Message:
        try:
            request = self._method.request.FromString(self._data)
        except DecodeError as error:
            raise RequestError(grpc.StatusCode.INTERNAL, "The request is no such message.") from error
        self._data = b""
        self.model = self._method.model(request)
        return request
