"""What every call of gRPC has in common: where it is worked on, its deadline, its errors, and that it is counted."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any

import grpc
from google.protobuf.message import DecodeError, Message

from serving.grpc_api.arrivals import Arrivals
from serving.grpc_api.call_count import CallCount
from serving.server.deadline import Deadline
from serving.server.metrics import Metrics
from serving.server.request_error import RequestError

_LOG = logging.getLogger(__name__)
# The others are not counted by TensorFlow Serving.
_COUNTED = ("Predict", "Classify", "Regress")
_Answer = Callable[["Method", bytes, grpc.aio.ServicerContext], Awaitable[bytes]]
_LONGEST = 1024  # bytes of an error's message, as in TensorFlow Serving: it goes in a header, which clients limit
_FEW = 8  # calls at a time that do not wait for each other
_SMALL = 256 << 10  # bytes of a request: to read one with more would hold up the others of the loop


@dataclass(frozen=True)
class Method:
    """One method of a service.

    Attributes:
        api: its name.
        request: the type of its message.
        model: the model's name in a message.
        work: makes the answer, a message or as it is sent, by a deadline of `time.monotonic()`, in a thread.
        on_loop: makes the answer, as it is sent, on the event loop, with threads for what would hold it up; default:
            every request takes a thread.
    """

    api: str
    request: type[Message]
    model: Callable[[Any], str]
    work: Callable[[Any, float | None], Message | bytes]
    on_loop: Callable[[Any, float | None, Executor], Awaitable[bytes]] | None = None


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
        self._arrivals = Arrivals()

    def service(self, name: str, *methods: Method) -> grpc.GenericRpcHandler:
        """What a server needs of a service: messages come and go as bytes, so that a thread can read a large one."""
        return _Service(name, methods, self._calls, self._answer)

    async def _answer(self, method: Method, data: bytes, context: grpc.aio.ServicerContext) -> bytes:
        """The answer to a call; an error ends it with its code."""
        started = time.monotonic()
        left = context.time_remaining()
        # Without a deadline, grpc may say that there are some 300 billion years, which no lock can wait for.
        deadline = None if left is None or left > threading.TIMEOUT_MAX else started + left
        call = _Call(method, data, deadline)
        code = grpc.StatusCode.OK
        try:
            if method.on_loop is not None and len(data) <= _SMALL:
                if self._calls.count > _FEW:
                    try:
                        await self._arrivals.wait()
                    except asyncio.CancelledError:
                        with contextlib.suppress(RequestError):
                            call.request()  # it is counted for its model nevertheless
                        raise
                answer = await method.on_loop(call.request(), deadline, self._threads)
            else:
                work = self._threads.submit(call.in_thread)
                self._calls.begin()
                work.add_done_callback(self._calls.end)
                return await asyncio.wrap_future(work)
        except RequestError as error:
            code, message = error.code, error.message
        except asyncio.CancelledError:  # nobody hears the answer; gRPC ends the call
            late = Deadline(deadline, started).ended_call()
            code = grpc.StatusCode.DEADLINE_EXCEEDED if late else grpc.StatusCode.CANCELLED
            raise
        except Exception as error:
            _LOG.exception("%s of model %s failed.", method.api, call.model)
            code, message = grpc.StatusCode.INTERNAL, f"{type(error).__name__}: {error}"
        finally:
            if method.api in _COUNTED and call.model is not None:
                seconds = time.monotonic() - started
                self._metrics.record(call.model, code, api=method.api, entrypoint="GRPC", seconds=seconds)
        if code is grpc.StatusCode.OK:
            # The others of the batch are prepared first: see `Arrivals`.
            await asyncio.sleep(0)
            return answer
        encoded = message.encode("utf-8", "replace")
        if len(encoded) > _LONGEST:
            message = f"{encoded[:_LONGEST].decode('utf-8', 'ignore')}...TRUNCATED"
        try:
            await context.abort(code, message)
        except grpc.aio.InternalError:
            # The call has ended meanwhile, at its client's deadline. gRPC logs any other error than this.
            raise asyncio.CancelledError from None
        raise AssertionError("abort raises")


class _Service(grpc.ServiceRpcHandler):
    """What a server asks for the handler of each call, before it has the call's message."""

    def __init__(self, name: str, methods: Sequence[Method], calls: CallCount, answer: _Answer) -> None:
        self._name = name
        self._methods = {f"/{name}/{one.api}": one for one in methods}
        self._calls = calls
        self._answer = answer

    def service_name(self) -> str:
        return self._name

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler | None:
        method = self._methods.get(handler_call_details.method)
        if method is None:
            return None
        return _Arrival(method, self._calls, self._answer)


class _Arrival(grpc.RpcMethodHandler):
    """The handler of one call, which counts until it is answered, or nobody refers to this: its message never came.

    It begins to count before its message is there, however long that is on the way: the server does not end meanwhile.
    """

    request_streaming = response_streaming = False
    request_deserializer = response_serializer = None

    def __init__(self, method: Method, calls: CallCount, answer: _Answer) -> None:
        self._method = method
        self._answer = answer
        self._calls: CallCount | None = calls
        calls.begin()

    async def unary_unary(self, data: bytes, context: grpc.aio.ServicerContext) -> bytes:
        context.add_done_callback(self._end)
        return await self._answer(self._method, data, context)

    def _end(self, *_: object) -> None:
        if self._calls is not None:
            self._calls.end()
            self._calls = None

    __del__ = _end


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
        self._request: Message | None = None

    def in_thread(self) -> bytes:
        answer = self._method.work(self.request(), self._deadline)
        return answer if isinstance(answer, bytes) else answer.SerializeToString()

    def request(self) -> Message:
        """The message, read once.

        Raises:
            RequestError: INTERNAL: it is none.
        """
        if self._request is not None:
            return self._request
        try:
            request = self._method.request.FromString(self._data)
        except DecodeError as error:
            raise RequestError(grpc.StatusCode.INTERNAL, "The request is no such message.") from error
        self._data = b""
        self.model = self._method.model(request)
        self._request = request
        return request
