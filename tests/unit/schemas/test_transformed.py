from __future__ import annotations

import pytest
from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import schema_pb2

from schemas.errors import SchemaError
from schemas.transformed import (
    LABEL_KEY,
    WEIGHT_KEY,
    Category,
    Dense,
    ModelInput,
    Picture,
    Tokens,
    model_inputs,
    transformed_name,
    weights_name,
)


def feature(name: str, kind: str, shape: tuple[int, ...] | None, domain: tuple[int, int] | None = None) -> str:
    dims = "" if shape is None else f"shape {{ {' '.join(f'dim {{ size: {size} }}' for size in shape)} }}"
    ids = "" if domain is None else f"int_domain {{ min: {domain[0]} max: {domain[1]} is_categorical: true }}"
    return f'feature {{ name: "{name}" type: {kind} {dims} {ids} }}'


def inputs(*features: str) -> tuple[ModelInput, ...]:
    return model_inputs(text_format.Parse("\n".join(features), schema_pb2.Schema()))


def test_names() -> None:
    assert (transformed_name("fare"), weights_name("title")) == ("fare_xf", "title_weight_xf")
    assert (LABEL_KEY, WEIGHT_KEY) == ("label_xf", "example_weight_xf")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (feature("a_xf", "FLOAT", (6,)), Dense("a_xf", 6)),
        (feature("a_xf", "FLOAT", (1,)), Dense("a_xf", 1)),
        (feature("a_xf", "FLOAT", ()), Dense("a_xf", 1)),
        (feature("a_xf", "INT", (1,), (0, 9)), Category("a_xf", 10)),
        (feature("a_xf", "INT", (), (0, 9)), Category("a_xf", 10)),
        (feature("a_xf", "INT", (1,), (0, 0)), Category("a_xf", 1)),
        (feature("a_xf", "INT", (4,), (0, 9)), Tokens("a_xf", 10, 4)),
        (feature("a_xf", "FLOAT", (2, 3, 1)), Picture("a_xf", 2, 3, 1)),
    ],
)
def test_one_input(text: str, expected: ModelInput) -> None:
    assert inputs(text) == (expected,)


def test_inputs_are_in_name_order_without_label_and_weight() -> None:
    found = inputs(
        feature("b_xf", "FLOAT", (1,)),
        feature(LABEL_KEY, "FLOAT", (1,)),
        feature(WEIGHT_KEY, "FLOAT", (1,)),
        feature("a_xf", "FLOAT", (1,)),
    )
    assert found == (Dense("a_xf", 1), Dense("b_xf", 1))


def test_weights_belong_to_their_tokens() -> None:
    found = inputs(feature("t_xf", "INT", (4,), (0, 9)), feature("t_weight_xf", "FLOAT", (4,)))
    assert found == (Tokens("t_xf", 10, 4, "t_weight_xf"),)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (feature("net_xf", "FLOAT", (1,)), Dense("net_xf", 1)),
        (feature("net_xf", "INT", (1,), (0, 4)), Category("net_xf", 5)),
        (feature("net_xf", "INT", (4,), (0, 4)), Tokens("net_xf", 5, 4)),
    ],
)
def test_a_feature_that_is_only_named_like_weights_is_an_input(text: str, expected: ModelInput) -> None:
    assert inputs(text, feature("net_weight_xf", "FLOAT", (1,))) == (Dense("net_weight_xf", 1), expected)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (feature("a_xf", "FLOAT", None), "is sparse"),
        (feature("a_xf", "FLOAT", (2, 3)), "has the shape [2, 3]"),
        (feature("a_xf", "BYTES", (1,)), "is neither a float nor an int64 with a domain"),
        (feature("a_xf", "INT", (1,)), "is neither a float nor an int64 with a domain"),
        (feature("a_xf", "INT", (1,), (-1, 9)), "has ids from -1"),
    ],
)
def test_what_a_model_cannot_take(text: str, why: str) -> None:
    with pytest.raises(SchemaError) as caught:
        inputs(text)
    assert "'a_xf'" in caught.value.what
    assert why in caught.value.what
    assert caught.value.where == "preprocessing_fn"
    assert caught.value.fix
