from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.framework.tensor_pb2 import TensorProto
from tensorflow.core.framework.types_pb2 import DataType

from serving.server.tensor_proto import decode, encode

ARRAYS = {
    "float32": np.array([[0.1, np.inf], [np.nan, -0.0]], np.float32),
    "many float32": np.arange(300, dtype=np.float32).reshape(3, 100),
    "many float64": np.linspace(0, 1, 300).reshape(2, 150),
    "many complex64": (np.arange(40) * (1 + 2j)).astype(np.complex64),
    "transposed": np.arange(64, dtype=np.float32).reshape(4, 16).T,
    "float16": np.array([1.5, -2], np.float16),
    "bfloat16": np.array([1.5, -2], tf.bfloat16.as_numpy_dtype),
    "int8": np.array([-128, 127], np.int8),
    "uint8": np.array([0, 255], np.uint8),
    "int16": np.array([-(2**15)], np.int16),
    "uint16": np.array([2**16 - 1], np.uint16),
    "int32": np.array([-(2**31)], np.int32),
    "uint32": np.array([2**32 - 1], np.uint32),
    "int64": np.array([-(2**63), 2**63 - 1], np.int64),
    "uint64": np.array([2**64 - 1], np.uint64),
    "bool": np.array([True, False]),
    "complex64": np.array([1 + 2j], np.complex64),
    "complex128": np.array([1 + 2j], np.complex128),
    "string": np.array([[b"a\0"], [b"\xff"]], object),
    "scalar": np.array(3.0, np.float32),
    "empty": np.zeros((0, 2), np.float32),
}


def equal(one: Any, other: Any) -> None:
    assert one.dtype == other.dtype
    assert one.shape == other.shape
    np.testing.assert_array_equal(one, other)


def test_values_are_in_the_typed_field() -> None:
    assert TensorProto.FromString(encode(np.array([[1.0, 2.0]], np.float32))) == TensorProto(
        dtype=DataType.DT_FLOAT,
        float_val=[1.0, 2.0],
        tensor_shape={"dim": [{"size": 1}, {"size": 2}]},
    )


@pytest.mark.parametrize("name", ARRAYS)
def test_what_is_written_is_read_by_us_and_by_tensorflow(name: str) -> None:
    proto = TensorProto.FromString(encode(ARRAYS[name]))
    assert not proto.tensor_content
    equal(decode(proto), ARRAYS[name])
    equal(np.asarray(tf.make_ndarray(proto)), ARRAYS[name])


@pytest.mark.parametrize("name", ARRAYS)
def test_what_tensorflow_writes_is_read(name: str) -> None:
    equal(decode(tf.make_tensor_proto(ARRAYS[name])), ARRAYS[name])


def test_a_shape_without_values_needs_no_content() -> None:
    proto = TensorProto(dtype=DataType.DT_FLOAT, tensor_content=b"\0" * 8, tensor_shape={"dim": [{"size": 0}]})
    assert decode(proto).shape == (0,)


def test_strings_are_read_from_the_content() -> None:
    proto = TensorProto(dtype=DataType.DT_STRING, tensor_content=b"\x01\x80\x01a" + b"b" * 128)
    proto.tensor_shape.dim.add().size = 2
    assert decode(proto).tolist() == [b"a", b"b" * 128]


def test_the_last_value_is_repeated() -> None:
    proto = TensorProto(dtype=DataType.DT_INT64, int64_val=[4, 5])
    proto.tensor_shape.dim.add().size = 4
    assert decode(proto).tolist() == [4, 5, 5, 5]


def test_of_more_values_than_the_shape_has_the_first_are_taken() -> None:
    proto = TensorProto(dtype=DataType.DT_INT64, int64_val=[4, 5, 6])
    proto.tensor_shape.dim.add().size = 2
    assert decode(proto).tolist() == [4, 5]
    equal(decode(proto), np.asarray(tf.io.parse_tensor(proto.SerializeToString(), tf.int64)))


@pytest.mark.parametrize(
    "proto",
    [
        TensorProto(dtype=DataType.DT_FLOAT, float_val=[1], tensor_shape={"dim": [{"size": -1}]}),
        TensorProto(dtype=DataType.DT_FLOAT, float_val=[1], tensor_shape={"unknown_rank": True}),
        TensorProto(dtype=DataType.DT_FLOAT, float_val=[1], tensor_shape={"dim": [{"size": 10**6}, {"size": 10**6}]}),
        TensorProto(dtype=DataType.DT_FLOAT, tensor_content=b"abc", tensor_shape={"dim": [{"size": 1}]}),
        TensorProto(dtype=DataType.DT_STRING, tensor_content=b"\xff", tensor_shape={"dim": [{"size": 1}]}),
        TensorProto(dtype=DataType.DT_STRING, tensor_content=b"\x05a", tensor_shape={"dim": [{"size": 1}]}),
        TensorProto(dtype=DataType.DT_UINT8, int_val=[256], tensor_shape={"dim": [{"size": 1}]}),
        TensorProto(dtype=DataType.DT_INVALID),
        TensorProto(dtype=DataType.DT_RESOURCE),
        TensorProto(dtype=DataType.DT_FLOAT_REF, float_val=[1]),
        TensorProto(dtype=DataType.DT_FLOAT, tensor_content=b"\0" * 8, tensor_shape={"dim": [{"size": 3}]}),
    ],
    ids=[
        "negative",
        "unknown",
        "huge",
        "cut",
        "varint",
        "string",
        "range",
        "invalid",
        "resource",
        "reference",
        "short",
    ],
)
def test_what_is_no_tensor_is_refused(proto: TensorProto) -> None:
    with pytest.raises(ValueError, match=r".+"):
        decode(proto)
