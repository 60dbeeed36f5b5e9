from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2

from serving.server.predict import _response
from serving.server.servable import Servable
from tests.tiny_models import half_plus


@pytest.fixture(scope="module")
def half(tmp_path_factory: pytest.TempPathFactory) -> Servable:
    path: Path = half_plus(tmp_path_factory.mktemp("half") / "3", 2.0)
    return Servable("half", 3, path)


def test_an_answer_is_byte_for_byte_that_of_protobuf(half: Servable) -> None:
    found = {"y": np.array([[2.5]], np.float32)}
    assert _response(half, "s", found) == (
        # outputs { key: "y" value { dtype: 1 tensor_shape { dim { size: 1 } dim { size: 1 } } float_val: 2.5 } }
        b"\x0a\x17\x0a\x01y\x12\x12\x08\x01\x12\x08\x12\x02\x08\x01\x12\x02\x08\x01\x2a\x04\x00\x00\x20\x40"
        # model_spec { name: "half" version { value: 3 } signature_name: "s" }
        b"\x12\x0d\x0a\x04half\x12\x02\x08\x03\x1a\x01s"
    )


@pytest.mark.parametrize("dtype", ["float32", "float64", "bool", "complex64", "complex128", "int32", "float16", ">f4"])
@pytest.mark.parametrize("shape", [(), (0,), (1,), (3, 2), (40, 100)])
def test_answers_of_one_shape_have_their_own_values(half: Servable, dtype: str, shape: tuple[int, ...]) -> None:
    for seed in range(2):
        array = np.random.default_rng(seed).integers(0, 100, shape).astype(dtype)
        for value in (array, array.T):  # not one after the other in memory
            _same(half, value)


def _same(half: Servable, value: npt.NDArray[Any]) -> None:
    response = predict_pb2.PredictResponse.FromString(_response(half, "serving_default", {"a": value, "b": value}))
    assert response.model_spec.version.value == 3
    for key in ("a", "b"):
        tensor = response.outputs[key]
        assert not tensor.tensor_content
        found = tf.make_ndarray(tensor)
        assert found.dtype == value.dtype.newbyteorder("=")
        np.testing.assert_array_equal(found, value)
