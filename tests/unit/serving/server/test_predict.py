from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2

from serving.server.batching import BatchingOptions
from serving.server.predict import predict_on_loop
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
        many, used = asyncio.run(ask([[2.0]] * 16_384))
        assert (len(many), used) == (16_384, [])
        many, used = asyncio.run(ask([[2.0]] * 16_385))
        assert (len(many), used) == (16_385, ["predict"])


def test_a_large_answer_to_few_values_is_made_by_a_thread(tmp_path: Path) -> None:
    @tf.function(input_signature=[tf.TensorSpec([None, 1], tf.float32, "x")])
    def wide(x: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"y": tf.tile(x, [1, 16_385])}

    module = tf.Module()
    module.wide = wide
    tf.saved_model.save(module, str(tmp_path), {"serving_default": wide})
    servable = Servable("wide", 1, tmp_path, BatchingOptions(20_000, 0))
    with Threads() as threads:
        asyncio.run(predict_on_loop(servable, asked([[0.0]]), None, threads))
        threads.asked.clear()
        answer = asyncio.run(predict_on_loop(servable, asked([[2.0]]), None, threads))
        assert values(answer)["y"] == [[2.0] * 16_385]
        assert threads.asked == ["_response"]


def test_few_bytes_that_are_many_values_are_read_by_a_thread(half: Servable) -> None:
    request = asked([[1.0]])
    request.inputs["x"].float_val.append(1.0)
    request.inputs["x"].ClearField("tensor_content")
    request.inputs["x"].tensor_shape.dim[0].size = 16_385
    with Threads() as threads:
        answer = asyncio.run(predict_on_loop(half, request, None, threads))
        assert values(answer)["y"] == [[2.5]] * 16_385
        assert threads.asked == ["predict"]
