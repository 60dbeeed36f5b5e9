"""Calls that arrive at the same time go on together."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass

import pytest
from tensorflow_serving.apis import predict_pb2

from serving.grpc_api.answering import Answering, Method
from serving.grpc_api.arrivals import Arrivals
from serving.grpc_api.call_count import CallCount
from serving.server.metrics import Metrics


def test_who_waits_goes_on_together_also_without_one_that_is_given_up() -> None:
    seen: list[str] = []

    async def wait(arrivals: Arrivals, name: str) -> None:
        seen.append(f"{name} waits")
        await arrivals.wait()
        seen.append(f"{name} goes on")

    async def three() -> None:
        arrivals = Arrivals()
        first = asyncio.create_task(wait(arrivals, "first"))
        given_up = asyncio.create_task(wait(arrivals, "given up"))
        await asyncio.sleep(0)
        given_up.cancel()
        second = asyncio.create_task(wait(arrivals, "second"))
        await asyncio.gather(first, second)
        assert given_up.cancelled()
        await wait(arrivals, "later")

    asyncio.run(three())
    assert seen == [
        "first waits",
        "given up waits",
        "second waits",
        "first goes on",
        "second goes on",
        "later waits",
        "later goes on",
    ]


@dataclass
class Details:
    method: str = "/a.Service/Predict"


class Context:
    """Of a call without a deadline."""

    def time_remaining(self) -> None:
        return None

    def add_done_callback(self, callback: Callable[[object], None]) -> None:
        self.done = callback


def asked_at_once(count: int) -> tuple[list[str], list[bytes]]:
    """What becomes of so many calls, each of which comes in a turn of its own, and their answers."""
    seen: list[str] = []

    async def on_loop(request: predict_pb2.PredictRequest, deadline: float | None, threads: Executor) -> bytes:
        seen.append("read")
        return request.model_spec.name.encode()

    async def ask() -> list[bytes]:
        calls = CallCount()
        with ThreadPoolExecutor(1) as threads:
            method = Method("Predict", predict_pb2.PredictRequest, lambda _: "m", lambda *_: b"", on_loop)
            answering = Answering(Metrics(), calls, threads)
            service = answering.service("a.Service", method)

            async def call(number: int) -> bytes:
                request = predict_pb2.PredictRequest()
                request.model_spec.name = str(number)
                context = Context()
                handler = handlers[number]
                assert handler is not None
                answer: bytes = await handler.unary_unary(request.SerializeToString(), context)
                context.done(context)
                seen.append("sent")
                return answer

            handlers = [service.service(Details()) for _ in range(count)]  # type: ignore[arg-type]
            tasks = []
            for number in range(count):
                tasks.append(asyncio.create_task(call(number)))
                await asyncio.sleep(0)
            answering._arrivals._go_on()
            answers = await asyncio.gather(*tasks)
            assert calls.wait(0)
            return answers

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("serving.grpc_api.arrivals._SECONDS", 3600.0)  # not before all are there, however slow this is
        answers = asyncio.run(ask())
    return seen, answers


def test_many_calls_are_read_in_a_row_and_answered_in_a_row() -> None:
    seen, answers = asked_at_once(20)
    assert seen == ["read"] * 20 + ["sent"] * 20
    assert answers == [str(number).encode() for number in range(20)]


def test_few_calls_do_not_wait() -> None:
    seen, answers = asked_at_once(3)
    assert seen == ["read", "sent"] * 3
    assert answers == [b"0", b"1", b"2"]


def test_a_call_that_is_given_up_while_it_waits_is_counted() -> None:
    metrics = Metrics()

    async def on_loop(request: predict_pb2.PredictRequest, deadline: float | None, threads: Executor) -> bytes:
        return b""

    async def ask() -> None:
        with ThreadPoolExecutor(1) as threads:
            method = Method("Predict", predict_pb2.PredictRequest, lambda _: "m", lambda *_: b"", on_loop)
            service = Answering(metrics, CallCount(), threads).service("a.Service", method)
            handlers = [service.service(Details()) for _ in range(20)]  # type: ignore[arg-type]
            tasks = [asyncio.create_task(one.unary_unary(b"", Context())) for one in handlers if one is not None]
            await asyncio.sleep(0)
            tasks[3].cancel()
            await asyncio.wait(tasks)
            assert [task.cancelled() for task in tasks] == [number == 3 for number in range(20)]

    asyncio.run(ask())
    assert metrics.counts() == {("m", "OK"): 19, ("m", "CANCELLED"): 1}
