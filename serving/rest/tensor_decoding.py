"""Tensors from JSON values, with the strictness and the errors of TensorFlow Serving.

A value is converted in a few passes that run in C (flatten, the set of the elements' types, numpy). Only when one of
them finds a fault are the elements looked at one by one, to tell which was the first.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import grpc
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from serving.rest.bytes_value import bytes_of
from serving.rest.json_document import require_finite_numbers, too_big, type_name
from serving.rest.value_text import value_text
from serving.server.dtype_text import dtype_text
from serving.server.request_error import RequestError, invalid

_MAX_RANK = 32  # of numpy 1
# TensorFlow Serving has no form for others, such as float16 and uint16.
_INTEGERS = {tf.int8, tf.uint8, tf.int16, tf.int32, tf.uint32, tf.int64, tf.uint64}
_DECIMALS = {tf.float32, tf.float64}


@dataclass(frozen=True)
class TensorDecoder:
    """Makes arrays of one request's JSON values.

    Args:
        body: the request's text; needed only to tell the token Infinity from a number that is too big.
    """

    body: bytes

    def array(self, value: Any, dtype: tf.DType) -> npt.NDArray[Any]:
        """A value as an array; a scalar has the shape [].

        Args:
            value: a number, bool, string, `{"b64": ...}`, or a list of such, or of lists.
            dtype: of the tensor. Strings are object arrays of bytes.

        Raises:
            RequestError: INVALID_ARGUMENT: ragged, of another type, or out of range; UNIMPLEMENTED: a dtype that JSON
                has no form for.
        """
        shape = shape_of(value)
        try:
            return self._array([value], shape, dtype).reshape(shape)
        except (TypeError, OverflowError) as error:
            raise self.first_fault(value, shape, dtype) from error

    def first_unfit(self, items: list[Any], shape: list[int], dtype: tf.DType) -> int:
        """Where the first item is that is no tensor of this shape and dtype; the number of items if there is none.

        Found by halves, so that it takes about as long as converting them all.
        """
        first, end = 0, len(items)
        if self._fits(items, shape, dtype):
            return end
        while end - first > 1:
            middle = (first + end) // 2
            if self._fits(items[first:middle], shape, dtype):
                first = middle
            else:
                end = middle
        return first

    def first_fault(self, value: Any, shape: list[int], dtype: tf.DType) -> RequestError:
        """The first element, in the order of the text, that is not as the shape and the dtype want it."""
        try:
            self._check(value, shape, dtype, 0)
        except RequestError as error:
            return error
        return _wrong(value, dtype)

    def _array(self, items: list[Any], shape: list[int], dtype: tf.DType) -> npt.NDArray[Any]:
        """The elements of items that all have this shape, [N]; TypeError or OverflowError where they do not fit."""
        flat = items
        for size in shape:
            if set(map(type, flat)) != {list} or set(map(len, flat)) != {size}:
                raise TypeError(shape)
            flat = list(itertools.chain.from_iterable(flat))
        return self._values(flat, dtype)

    def _fits(self, items: list[Any], shape: list[int], dtype: tf.DType) -> bool:
        try:
            self._array(items, shape, dtype)
        except (TypeError, OverflowError, RequestError):
            return False
        return True

    def _check(self, value: Any, shape: list[int], dtype: tf.DType, level: int) -> None:
        if not isinstance(value, list):
            if level != len(shape):
                raise invalid(
                    f"JSON Value: {value_text(value)} found at incorrect level: {level + 1} in the JSON DOM. "
                    f"Expected at level: {len(shape)}"
                )
            _check_element(value, dtype)
            return
        if level >= len(shape):
            raise invalid(f"Encountered list at unexpected level: {level} expected < {len(shape)}")
        if len(value) != shape[level]:
            raise invalid(
                f"Encountered list at unexpected size: {len(value)} at level: {level} expected size: {shape[level]}"
            )
        unfit = self.first_unfit(value, shape[level + 1 :], dtype)
        if unfit < len(value):
            self._check(value[unfit], shape, dtype, level + 1)

    def _values(self, flat: list[Any], dtype: tf.DType) -> npt.NDArray[Any]:
        """The elements, [N]; TypeError or OverflowError for one that the dtype does not take."""
        types = set(map(type, flat))
        if dtype in _DECIMALS:
            if not types <= {float, int}:
                raise TypeError(types)
            return self._decimals(flat, dtype)
        if dtype in _INTEGERS:
            if not types <= {int}:
                raise TypeError(types)
            bounds = np.iinfo(dtype.as_numpy_dtype)
            if flat and (min(flat) < bounds.min or max(flat) > bounds.max):
                raise OverflowError
            return np.array(flat, dtype=dtype.as_numpy_dtype)
        if dtype == tf.bool:
            if not types <= {bool}:
                raise TypeError(types)
            return np.array(flat, dtype=np.bool_)
        if dtype == tf.string:
            if not types <= {str, dict}:
                raise TypeError(types)
            strings = np.empty(len(flat), dtype=object)
            strings[:] = [bytes_of(value) for value in flat]
            return strings
        raise TypeError(dtype)

    def _decimals(self, flat: list[Any], dtype: tf.DType) -> npt.NDArray[Any]:
        try:
            doubles = np.array(flat, dtype=np.float64)
        except OverflowError as error:
            require_finite_numbers(self.body)
            raise too_big() from error
        if np.isinf(doubles).any():
            require_finite_numbers(self.body)
        with np.errstate(over="ignore"):
            # As a cast in C: what is beyond the smaller type becomes an infinity.
            return doubles.astype(dtype.as_numpy_dtype)


def shape_of(value: Any) -> list[int]:
    """The shape that the first elements tell.

    Raises:
        RequestError: INVALID_ARGUMENT: more dimensions than a tensor may have here.
    """
    shape = []
    while isinstance(value, list):
        shape.append(len(value))
        if len(shape) > _MAX_RANK:
            raise invalid(f"JSON Value is nested too deeply: a tensor has at most {_MAX_RANK} dimensions")
        if not value:
            break
        value = value[0]
    return shape


def _check_element(value: Any, dtype: tf.DType) -> None:
    kind = type(value)
    if dtype in _DECIMALS:
        if kind not in (float, int):
            raise _wrong(value, dtype)
    elif dtype in _INTEGERS:
        bounds = np.iinfo(dtype.as_numpy_dtype)
        if kind is not int or not bounds.min <= value <= bounds.max:
            raise _wrong(value, dtype)
    elif dtype == tf.bool:
        if kind is not bool:
            raise _wrong(value, dtype)
    elif dtype == tf.string:
        if kind not in (str, dict):
            raise _wrong(value, dtype)
        bytes_of(value)
    elif kind is dict:
        raise _wrong(value, dtype)
    else:
        raise RequestError(
            grpc.StatusCode.UNIMPLEMENTED, f"Conversion of JSON Value: {value_text(value)} to type: {dtype_text(dtype)}"
        )


def _wrong(value: Any, dtype: tf.DType) -> RequestError:
    return invalid(
        f"JSON Value: {value_text(value)} Type: {type_name(value)} is not of expected type: {dtype_text(dtype)}"
    )
