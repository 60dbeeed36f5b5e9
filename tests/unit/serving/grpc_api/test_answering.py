from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from tensorflow_serving.apis import predict_pb2

from serving.grpc_api.answering import Answering, Method
from serving.grpc_api.call_count import CallCount
from serving.server.metrics import Metrics


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
