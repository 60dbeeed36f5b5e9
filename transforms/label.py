"""What the model learns to predict."""

from __future__ import annotations

from collections.abc import Mapping

import tensorflow as tf

from schemas.errors import SchemaError
from schemas.expression import Expression
from schemas.features import BinaryLabel, IntegerLabel, Label, NumericLabel
from schemas.transformed import LABEL_KEY
from transforms.column import Column, with_domain

UNKNOWN_CLASS = -1


def label(values: Mapping[str, Column], spec: Label) -> dict[str, tf.Tensor]:
    """The target of each example.

        binary   1.0 where the expression holds, else 0.0        float32 [batch, 1]
        integer  the number                                      int64 [batch, 1], 0..classes-1
        one_hot  place of the name in `classes`                  int64 [batch, 1], 0..classes-1
        numeric  the number                                      float32 [batch, 1]

    Classes are ids rather than one-hot vectors: sparse_categorical losses and TFMA's metrics take them as they are.

    A comparison with a missing number is false (`!=` true), as ingestion evaluates it. Numbers are compared as float32,
    the type in which they are stored, so that 2.45 > 0.2 * 12.25 is false; whole numbers as float64 if any column of
    the expression holds them. Ingestion refuses rows without a label and classes that are not listed; where a label is
    computed without that check, such a class is -1 and a missing number to predict is NaN.

    Args:
        values: the columns that the label reads. At serving they are empty, and nothing else depends on them.
        spec: the label's entry in the feature table.

    Returns:
        `LABEL_KEY`; not an input of the model.

    Raises:
        SchemaError: an expression that is not yes or no.

    >>> spec = BinaryLabel(kind="binary", expression="tips > 2")
    >>> label({"tips": Column(tf.constant([3.0, 1.0]), "float")}, spec)[LABEL_KEY].numpy().tolist()
    [[1.0], [0.0]]
    """
    if isinstance(spec, BinaryLabel):
        return {LABEL_KEY: _binary(values, spec)}
    column = values[spec.column]
    if isinstance(spec, NumericLabel):
        missing = tf.constant(float("nan"), tf.float32)
        return {LABEL_KEY: tf.where(column.present, tf.cast(column.values, tf.float32), missing)}
    unknown = tf.constant(UNKNOWN_CLASS, tf.int64)
    if isinstance(spec, IntegerLabel):
        known = column.present & (column.values >= 0) & (column.values < spec.classes)
        return {LABEL_KEY: with_domain(tf.where(known, column.values, unknown), spec.classes)}
    matches = tf.equal(column.values, tf.constant([spec.classes]))
    ids = tf.where(tf.reduce_any(matches, 1, keepdims=True), tf.argmax(matches, 1)[:, tf.newaxis], unknown)
    return {LABEL_KEY: with_domain(ids, len(spec.classes))}


def _binary(values: Mapping[str, Column], spec: BinaryLabel) -> tf.Tensor:
    expression = Expression(spec.expression)
    wide = any(column.dtype == "int" for column in values.values())
    given = {
        name: values[name].numbers if wide and values[name].dtype != "string" else values[name].values
        for name in expression.columns
    }
    result = expression(given)
    if not isinstance(result, tf.Tensor) or result.dtype != tf.bool:
        raise SchemaError(
            "The label expression is not a yes/no question.",
            where="label.expression",
            received=spec.expression,
            fix="Compare something, for example tips > 0.2 * fare; for a number to predict use kind: numeric.",
        )
    return tf.cast(result, tf.float32)
