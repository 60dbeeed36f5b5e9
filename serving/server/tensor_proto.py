"""Arrays and TensorProtos.

Answers have their values in the typed fields, as TensorFlow Serving's do; requests may have them there or in
`tensor_content`. TensorFlow's own `make_ndarray` does not read strings from `tensor_content`, and fills an array of any
size with one value that was sent.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf
from tensorflow.core.framework.tensor_pb2 import TensorProto
from tensorflow.core.framework.types_pb2 import DataType

Array = npt.NDArray[Any]

_TYPED_FIELDS: dict[str, str] = {
    "float32": "float_val",
    "float64": "double_val",
    "int8": "int_val",
    "int16": "int_val",
    "int32": "int_val",
    "uint8": "int_val",
    "uint16": "int_val",
    "uint32": "uint32_val",
    "int64": "int64_val",
    "uint64": "uint64_val",
    "bool": "bool_val",
    "float16": "half_val",
    "bfloat16": "half_val",
    "complex64": "scomplex_val",
    "complex128": "dcomplex_val",
}
# Numbers of TensorProto's fields whose packed values are the array's bytes.
_PACKED: dict[str, int] = {"float32": 5, "float64": 6, "complex64": 9, "bool": 11, "complex128": 12}
_REFERENCES = 100  # from here on, DataType has the types of references
_STRING = b"\x42"  # the tag of string_val
# What a request may grow to by sending fewer values than its shape has.
_MOST_FILLED = 1 << 26
_MOST_FILLED_STRINGS = 1 << 20  # which Python fills one by one, and does nothing else meanwhile


@functools.cache
def dtype_of(number: int) -> np.dtype[Any]:
    """NumPy's dtype of one of TensorFlow's; object for strings.

    Raises:
        ValueError: there is none.
    """
    try:
        if number > _REFERENCES:
            raise TypeError("a reference has no values of its own")
        return np.dtype(tf.as_dtype(number).as_numpy_dtype)
    except (TypeError, KeyError) as error:
        raise ValueError(f"unsupported dtype {number}") from error


class ManyValuesError(Exception):
    """A tensor has more values than are to be read now."""


def decode(tensor: TensorProto, most: float = math.inf) -> Array:
    """The array of a TensorProto.

    Args:
        tensor: with values in the typed field or in `tensor_content`.
        most: values that are read; few bytes may be many, by TensorFlow's rule that typed fields fill up any shape.

    Returns:
        Of the dtype it says; strings as an object array of bytes.

    Raises:
        ValueError: its values are not what its dtype and shape say.
        ManyValuesError: its shape has more than `most`.
    """
    shape = tuple([dim.size for dim in tensor.tensor_shape.dim])
    if tensor.tensor_shape.unknown_rank or (shape and min(shape) < 0):
        raise ValueError("its shape is not known")
    size = math.prod(shape)
    if size > most:
        raise ManyValuesError
    dtype = dtype_of(tensor.dtype)
    values = _strings(tensor, size) if dtype.kind == "O" else _numbers(tensor, dtype)
    if len(values) != size:
        if tensor.tensor_content and size:
            raise ValueError(f"its shape has {size} values, and its content {len(values)}")
        # TensorFlow's rule for typed fields: the first ones are taken.
        values = values[:size] if len(values) > size else _filled(values, size)
    return values.reshape(shape)


def _filled(values: Array, size: int) -> Array:
    """TensorFlow's rule: the last value is repeated to the end, and without one it is zero."""
    if size > (_MOST_FILLED_STRINGS if values.dtype == object else _MOST_FILLED):
        raise ValueError(f"its shape has {size} values, and {len(values)} were sent")
    filled: Array
    if values.dtype == object:
        filled = np.empty(size, object)
        filled[:] = b""
    else:
        filled = np.zeros(size, values.dtype)
    if len(values):
        filled[: len(values)] = values
        filled[len(values) :] = values[-1]
    return filled


def _numbers(tensor: TensorProto, dtype: np.dtype[Any]) -> Array:
    if tensor.tensor_content:
        # A copy: what frombuffer gives cannot be written to, and TensorFlow may want it aligned.
        return np.frombuffer(tensor.tensor_content, dtype).copy()
    field = _TYPED_FIELDS.get(dtype.name)
    if field is None:
        raise ValueError(f"unsupported dtype {dtype.name}")
    values = getattr(tensor, field)
    if field == "half_val":
        return _narrow(values, np.dtype(np.uint16)).view(dtype)
    if field == "int_val":
        return _narrow(values, dtype)
    if field in ("scomplex_val", "dcomplex_val"):
        return np.array(values, np.float32 if field == "scomplex_val" else np.float64).view(dtype)
    return np.fromiter(values, dtype, len(values))


def _narrow(values: Iterable[int], dtype: np.dtype[Any]) -> Array:
    """Numbers of 32 bits as fewer bits."""
    wide = np.fromiter(values, np.int32)
    found = wide.astype(dtype)
    if (found != wide).any():
        raise ValueError(f"a value is out of the range of {dtype.name}")
    return found


def _strings(tensor: TensorProto, size: int) -> Array:
    values = list(tensor.string_val)
    if tensor.tensor_content:
        values = _content_strings(tensor.tensor_content, size)
    found = np.empty(len(values), object)
    found[:] = values
    return found


def _content_strings(content: bytes, size: int) -> list[bytes]:
    """TensorFlow's form of strings in `tensor_content`: all lengths as varints, and then all bytes."""
    position = 0
    lengths = []
    if size > len(content):
        raise ValueError("its content ends early")
    for _ in range(size):
        length = shift = 0
        while True:
            if position >= len(content) or shift > 63:
                raise ValueError("its content ends early")
            byte = content[position]
            position += 1
            length |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        lengths.append(length)
    if position + sum(lengths) != len(content):
        raise ValueError("its content ends early")
    found = []
    for length in lengths:
        found.append(content[position : position + length])
        position += length
    return found


def encode(array: Array) -> bytes:
    """A serialized TensorProto of an array, its values in the typed field.

    It is put together here, as protobuf's encoding has it: Python's protobuf takes several times as long, of which a
    small answer has most of its time, and a large one too.

    Args:
        array: strings as an object array of bytes.
    """
    head = _head(array.dtype, array.shape)
    if array.dtype == object:
        return head + b"".join([_STRING + varint(len(value)) + value for value in array.ravel().tolist()])
    if not array.size:
        return head
    name = _name_of(array.dtype)
    number = _PACKED.get(name)
    if number is not None:
        return head + field(number, array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes())
    values = array.view(np.uint16) if _TYPED_FIELDS[name] == "half_val" else array
    return head + TensorProto(**{_TYPED_FIELDS[name]: values.ravel().tolist()}).SerializeToString()


def field(number: int, value: bytes) -> bytes:
    """A field of a message that is a message, a string or packed numbers, as protobuf encodes it.

    Source: https://protobuf.dev/programming-guides/encoding/

    Args:
        number: of the field, at most 15.
        value: encoded.
    """
    return bytes((number << 3 | 2,)) + varint(len(value)) + value


def varint(number: int) -> bytes:
    """A whole number, not negative, as protobuf encodes it."""
    if number <= 0x7F:
        return bytes((number,))
    found = bytearray()
    while number > 0x7F:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    found.append(number)
    return bytes(found)


@functools.lru_cache(maxsize=1024)
def _head(dtype: np.dtype[Any], shape: tuple[int, ...]) -> bytes:
    number = DataType.DT_STRING if dtype.kind == "O" else tf.as_dtype(dtype).as_datatype_enum
    dims = {"dim": [{"size": size} for size in shape]}
    return bytes(TensorProto(dtype=number, tensor_shape=dims).SerializeToString())


@functools.cache
def _name_of(dtype: np.dtype[Any]) -> str:
    return dtype.name  # which NumPy puts together each time
