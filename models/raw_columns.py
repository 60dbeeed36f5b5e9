"""The raw columns that a transform graph takes, and what it makes of them.

A raw column in training is what `tf.io.parse_example` gives, sparse [batch, (n)]; missing values are not there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import tensorflow as tf


def transformed_parser(transform_graph: str) -> Callable[[tf.Tensor], dict[str, tf.Tensor]]:
    """The function that turns serialized raw tf.Examples [batch] into what Transform would have written of them.

    Args:
        transform_graph: folder of the transform graph's SavedModel (`TFTransformOutput.transform_savedmodel_dir`).
    """
    transform = tf.saved_model.load(transform_graph)
    specs = raw_specs(transform)
    return lambda examples: transformed(transform, specs, parsed(examples, tuple(specs), specs), tf.size(examples))


def raw_specs(transform: Any) -> dict[str, tf.TypeSpec]:
    """Types of the columns that a loaded transform graph takes."""
    function = transform.transform_fn
    concrete = function.concrete_functions[0] if hasattr(function, "concrete_functions") else function
    return dict(concrete.structured_input_signature[0][0])


def parsed(examples: tf.Tensor, names: Sequence[str], specs: Mapping[str, tf.TypeSpec]) -> dict[str, tf.SparseTensor]:
    """Some columns of serialized tf.Examples."""
    return tf.io.parse_example(examples, {name: tf.io.VarLenFeature(specs[name].dtype) for name in names})


def transformed(
    transform: Any, specs: Mapping[str, tf.TypeSpec], raw: Mapping[str, tf.SparseTensor], rows: tf.Tensor
) -> dict[str, tf.Tensor]:
    """Every output of a loaded transform graph.

    Args:
        transform: the graph.
        specs: its `raw_specs`.
        raw: columns; one that is not given has no values.
        rows: number of rows, of an integer type.
    """
    given = {
        name: _as_specified(raw[name] if name in raw else _empty(spec.dtype, rows), spec)
        for name, spec in specs.items()
    }
    return dict(transform.transform_fn(given))


def _empty(dtype: tf.DType, rows: tf.Tensor) -> tf.SparseTensor:
    return tf.SparseTensor(tf.zeros([0, 2], tf.int64), tf.zeros([0], dtype), tf.stack([tf.cast(rows, tf.int64), 1]))


def _as_specified(column: tf.SparseTensor, spec: tf.TypeSpec) -> tf.SparseTensor | tf.Tensor:
    """The column as the transform graph takes it; a dense one is of the shape [batch, 1] or [batch]."""
    if isinstance(spec, tf.SparseTensorSpec):
        return column
    default = "" if spec.dtype == tf.string else float("nan") if spec.dtype.is_floating else 0
    dense = tf.sparse.to_dense(tf.sparse.reset_shape(column, [column.dense_shape[0], 1]), default)
    return dense if spec.shape.rank == 2 else tf.squeeze(dense, axis=1)
