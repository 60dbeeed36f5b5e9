"""One raw column of a batch as dense tensors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import tensorflow as tf
from tensorflow_transform import schema_inference

from schemas.errors import SchemaError
from schemas.features import Dtype

_TYPES: dict[Dtype, tf.DType] = {"float": tf.float32, "int": tf.int64, "string": tf.string}
_MISSING: dict[Dtype, Any] = {"float": float("nan"), "int": 0, "string": ""}


@dataclass(frozen=True, eq=False)
class Column:
    """One value a row and whether it is there.

    Args:
        values: [batch, 1] float32, int64 or string; NaN, 0 or "" where missing.
        present: bool [batch, 1]. NaN and the empty string are missing values.
    """

    values: tf.Tensor
    present: tf.Tensor

    @staticmethod
    def of(raw: tf.Tensor | tf.SparseTensor, dtype: Dtype) -> Column:
        """The column from what TFT, a parsing spec or a request gives.

        Args:
            raw: SparseTensor [batch, at most 1], or a dense tensor [batch, 1] or [batch].
            dtype: the feature table's type of the column; numbers of the other kind are converted.

        Raises:
            SchemaError: text where the feature table has numbers, or the other way round.

        >>> column = Column.of(tf.constant([1.0, float("nan")]), "float")
        >>> column.present.numpy().tolist()
        [[True], [False]]
        """
        if (raw.dtype == tf.string) != (dtype == "string"):
            raise SchemaError(
                f"The feature table reads the column as {dtype}, but the data's schema has {raw.dtype.name}.",
                fix="Give the feature the column's dtype, or correct the data or its curated schema.",
            )
        if not isinstance(raw, tf.SparseTensor):
            return _dense(tf.reshape(raw, [-1, 1]), dtype)
        # The second dimension is 0 where the whole batch is empty.
        shape = raw.dense_shape * [1, 0] + [0, 1]
        if raw.dtype == _TYPES[dtype] and dtype != "int":
            return _dense(_filled(raw, shape, raw.values, _MISSING[dtype]), dtype)
        present = _filled(raw, shape, True, False)
        found = _dense(_filled(raw, shape, raw.values, tf.zeros([], raw.dtype)), dtype)
        present = tf.logical_and(present, found.present) if raw.dtype.is_floating else present
        return Column(tf.where(present, found.values, tf.constant(_MISSING[dtype], _TYPES[dtype])), present)

    @property
    def numbers(self) -> tf.Tensor:
        """Float64 [batch, 1] with NaN where missing; exact for whole numbers up to 2 ** 53."""
        numbers = tf.cast(self.values, tf.float64)
        if self.values.dtype.is_floating:
            return numbers
        return tf.where(self.present, numbers, tf.constant(float("nan"), tf.float64))


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


def _filled(raw: tf.SparseTensor, shape: tf.Tensor, values: Any, missing: Any) -> tf.Tensor:
    dense = tf.raw_ops.SparseToDense(
        sparse_indices=raw.indices, output_shape=shape, sparse_values=values, default_value=missing
    )
    return tf.ensure_shape(dense, [None, 1])


def _dense(values: tf.Tensor, dtype: Dtype) -> Column:
    if dtype == "string":
        return Column(values, tf.not_equal(values, ""))
    floating = values.dtype.is_floating
    present = tf.logical_not(tf.math.is_nan(values)) if floating else tf.ones_like(values, tf.bool)
    if values.dtype != _TYPES[dtype]:
        # A NaN has no whole number; the mask keeps it missing.
        known = tf.where(present, values, tf.zeros_like(values)) if dtype == "int" else values
        values = tf.cast(known, _TYPES[dtype])
    return Column(values, present)
