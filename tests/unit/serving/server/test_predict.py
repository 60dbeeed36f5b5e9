from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2

from serving.server.batching import BatchingOptions
from serving.server.predict import is_quick, predict_on_loop
from serving.server.servable import Servable
from tests.tiny_models import half_plus


class Threads(ThreadPoolExecutor):
    """Knows what it was asked for."""

    def __init__(self) -> None:
        super().__init__(1)
        self.asked: list[str] = []

    def submit(self, function: Callable[..., Any], /, *given: Any, **named: Any) -> Future[Any]:
        self.asked.append(function.__name__)
        return super().submit(function, *given, **named)


@pytest.fixture(scope="module")
def half(tmp_path_factory: pytest.TempPathFactory) -> Servable:
    return Servable("half", 3, half_plus(tmp_path_factory.mktemp("half") / "3", 2.0), BatchingOptions(20_000, 0))


def asked(rows: Sequence[Sequence[float]]) -> predict_pb2.PredictRequest:
    request = predict_pb2.PredictRequest()
    request.inputs["x"].CopyFrom(tf.make_tensor_proto(np.array(rows, np.float32)))
    return request


def values(answer: bytes) -> Mapping[str, Any]:
    response = predict_pb2.PredictResponse.FromString(answer)
    return {key: tf.make_ndarray(tensor).tolist() for key, tensor in response.outputs.items()}


def test_a_loop_is_held_up_neither_by_a_first_call_nor_by_a_large_answer_nor_by_what_is_not_combined(
    half: Servable,
) -> None:
    with Threads() as threads:

        async def ask(rows: Sequence[Sequence[float]]) -> tuple[Any, list[str]]:
            threads.asked.clear()
            answer = await predict_on_loop(half, asked(rows), None, threads)
            return values(answer)["y"], list(threads.asked)

        assert asyncio.run(ask([[2.0]])) == ([[3.0]], ["_call"])
        assert asyncio.run(ask([[4.0]])) == ([[4.0]], [])
        many, used = asyncio.run(ask([[2.0]] * 16_385))
        assert (len(many), used) == (16_385, ["_response"])
        many, used = asyncio.run(ask([[2.0]] * 20_001))
        assert (len(many), used) == (20_001, ["_run", "_response"])


def test_few_bytes_may_be_many_values() -> None:
    assert is_quick(asked([[1.0], [2.0]]))
    request = asked([[1.0]])
    request.inputs["x"].tensor_shape.dim[0].size = 1 << 26
    assert not is_quick(request)
