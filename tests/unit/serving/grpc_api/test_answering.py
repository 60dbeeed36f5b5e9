from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import grpc
import pytest
from tensorflow_serving.apis import predict_pb2

from serving.grpc_api.answering import Answering, Method
from serving.grpc_api.call_count import CallCount
from serving.server.metrics import Metrics
from serving.server.request_error import RequestError


@dataclass
class Details:
    """Of a call, as gRPC tells them before the message is there."""

    method: str
    invocation_metadata: tuple[()] = ()


def test_a_call_counts_before_its_message_is_there_until_nothing_more_comes_of_it() -> None:
    calls = CallCount()
    with ThreadPoolExecutor(1) as threads:
        method = Method("Predict", predict_pb2.PredictRequest, lambda _: "m", lambda request, _: request)
        service = Answering(Metrics(), calls, threads).service("a.Service", method)
        assert service.service(Details("/a.Service/Other")) is None  # type: ignore[arg-type]
        assert calls.wait(0)
        handler = service.service(Details("/a.Service/Predict"))  # type: ignore[arg-type]
        assert handler is not None
        assert not calls.wait(0)
        del handler  # as gRPC does with that of a call whose message never came
        assert calls.wait(0)


class EndedCall:
    """The context of a call that has ended when its error is sent."""

    def time_remaining(self) -> float:
        return 0.0

    def add_done_callback(self, callback: Callable[[object], None]) -> None:
        pass

    async def abort(self, code: grpc.StatusCode, details: str) -> None:
        raise grpc.aio.InternalError('Failed "execute_batch"')


def test_an_error_that_nobody_hears_any_more_ends_the_call_quietly() -> None:
    def late(request: object, deadline: object) -> predict_pb2.PredictResponse:
        raise RequestError(grpc.StatusCode.DEADLINE_EXCEEDED, "late")

    metrics = Metrics()
    with ThreadPoolExecutor(1) as threads:
        method = Method("Predict", predict_pb2.PredictRequest, lambda _: "m", late)
        handler = (
            Answering(metrics, CallCount(), threads)
            .service("a.Service", method)
            .service(
                Details("/a.Service/Predict")  # type: ignore[arg-type]
            )
        )
        assert handler is not None
        with pytest.raises(asyncio.CancelledError):  # gRPC logs any other
            asyncio.run(handler.unary_unary(b"", EndedCall()))
    assert metrics.counts() == {("m", "DEADLINE_EXCEEDED"): 1}
