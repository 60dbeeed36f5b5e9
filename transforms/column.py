"""One raw column of a batch as dense tensors."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import tensorflow as tf
from tensorflow_transform import schema_inference

from schemas.errors import SchemaError
from schemas.features import Dtype

_TYPES: dict[Dtype, tf.DType] = {"float": tf.float32, "int": tf.int64, "string": tf.string}
_MISSING: dict[Dtype, Any] = {"float": float("nan"), "int": 0, "string": ""}


class Column:
    """One value a row, at most. What nobody asks for is not computed; what several features ask for, once.

    Args:
        raw: SparseTensor [batch, at most 1], or a dense tensor [batch, 1] or [batch].
        dtype: the feature table's type of the column; numbers of the other kind are converted.

    Raises:
        SchemaError: text where the feature table has numbers, or the other way round.

    >>> column = Column(tf.constant([1.0, float("nan")]), "float")
    >>> column.present.numpy().tolist()
    [[True], [False]]
    """

    def __init__(self, raw: tf.Tensor | tf.SparseTensor, dtype: Dtype) -> None:
        if (raw.dtype == tf.string) != (dtype == "string"):
            raise SchemaError(
                f"The feature table reads the column as {dtype}, but the data's schema has {raw.dtype.name}.",
                fix="Give the feature the column's dtype, or correct the data or its curated schema.",
            )
        self.dtype: Dtype = dtype
        self._raw = raw if isinstance(raw, tf.SparseTensor) else tf.reshape(raw, [-1, 1])

    @cached_property
    def values(self) -> tf.Tensor:
        """[batch, 1] float32, int64 or string; NaN, 0 or "" where missing."""
        return self.filled(_MISSING[self.dtype])

    def filled(self, missing: Any) -> tf.Tensor:
        """[batch, 1] float32, int64 or string; the given value where missing (a missing float that is NaN stays so)."""
        return self._filled(_TYPES[self.dtype], missing)

    @cached_property
    def present(self) -> tf.Tensor:
        """Bool [batch, 1]. NaN and the empty string are missing values."""
        if self.dtype == "string":
            return tf.not_equal(self.values, "")
        if self._raw.dtype.is_floating:
            return tf.logical_not(tf.math.is_nan(self.values if self.dtype == "float" else self.numbers))
        if isinstance(self._raw, tf.SparseTensor):
            return self._dense(True, False)
        return tf.ones_like(self._raw, tf.bool)

    @cached_property
    def known(self) -> tf.Tensor:
        """[n] the values that are there, without their rows; empty strings may be among them."""
        if isinstance(self._raw, tf.SparseTensor) and self._raw.dtype == _TYPES[self.dtype]:
            return self._raw.values
        return tf.boolean_mask(self.values, self.present)

    @cached_property
    def numbers(self) -> tf.Tensor:
        """Float64 [batch, 1] with NaN where missing; exact for whole numbers up to 2 ** 53."""
        if self.dtype == "float":
            return tf.cast(self.values, tf.float64)
        return self._filled(tf.float64, float("nan"))

    def _filled(self, dtype: tf.DType, missing: Any) -> tf.Tensor:
        known = self._raw.values if isinstance(self._raw, tf.SparseTensor) else self._raw
        if dtype == tf.int64 and known.dtype.is_floating:
            # A NaN has no whole number; `present` keeps it missing.
            known = tf.where(tf.math.is_nan(known), tf.constant(missing, known.dtype), known)
        known = tf.cast(known, dtype)
        return self._dense(known, missing) if isinstance(self._raw, tf.SparseTensor) else known

    def _dense(self, values: Any, missing: Any) -> tf.Tensor:
        dense = tf.raw_ops.SparseToDense(
            sparse_indices=self._raw.indices,
            output_shape=self._shape,
            sparse_values=values,
            default_value=tf.constant(missing, values.dtype if isinstance(values, tf.Tensor) else None),
        )
        return tf.ensure_shape(dense, [None, 1])

    @cached_property
    def _shape(self) -> tf.Tensor:
        # The second dimension is 0 where the whole batch is empty.
        return tf.maximum(self._raw.dense_shape, [0, 1])


def with_domain(ids: tf.Tensor, size: int | tf.Tensor) -> tf.Tensor:
    """The same ids, with their domain 0..size-1 written to the transformed schema.

    Args:
        ids: int64 tensor that preprocessing_fn returns.
        size: number of ids; a tensor when an analysis decides it.
    """
    top = size - 1 if isinstance(size, tf.Tensor) else tf.constant(size - 1, tf.int64)
    if not tf.executing_eagerly():
        schema_inference.set_tensor_schema_override(ids, tf.constant(0, tf.int64), top)
    return ids
