"""Signatures as a server's metadata tell them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from schemas.errors import ServingError
from serving.client.signature import chosen


def _metadata(*names: str, dtype: str = "DT_FLOAT") -> dict[str, Any]:
    tensor = {"dtype": dtype, "tensor_shape": {"dim": [{"size": "-1", "name": ""}, {"size": "3"}]}, "name": "x:0"}
    unknown = {"dtype": "DT_STRING", "tensor_shape": {"dim": [], "unknown_rank": True}}
    one = {"inputs": {"x": tensor}, "outputs": {"y": unknown}, "method_name": "tensorflow/serving/predict"}
    return {"metadata": {"signature_def": {"signature_def": {name: one for name in (*names, "__saved_model_init_op")}}}}


def test_types_and_shapes() -> None:
    found = chosen(_metadata("serving_default"))
    assert found.name == "serving_default"
    assert (found.inputs["x"].dtype, found.inputs["x"].shape) == (np.float32, (-1, 3))
    assert (found.outputs["y"].dtype, found.outputs["y"].shape) == (np.object_, None)


def test_named_columns_are_preferred_to_serialized_examples() -> None:
    assert chosen(_metadata("serving_default", "predict")).name == "predict"
    assert chosen(_metadata("serving_default", "predict"), "serving_default").name == "serving_default"


def test_a_signature_that_there_is_not() -> None:
    with pytest.raises(ServingError, match="no such signature") as caught:
        chosen(_metadata("retrieve"), "predict")
    assert caught.value.fix == "It has retrieve."


def test_a_type_that_numpy_lacks() -> None:
    with pytest.raises(ServingError, match="a type that this client does not know") as caught:
        chosen(_metadata("predict", dtype="DT_VARIANT"))
    assert caught.value.received == "DT_VARIANT"


def test_an_answer_of_something_else() -> None:
    with pytest.raises(ServingError, match="no model server"):
        chosen({"hello": "world"})
