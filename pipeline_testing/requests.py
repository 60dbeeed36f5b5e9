"""Asks a transform graph or a SavedModel about one row, in each way in which a client may ask."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import tensorflow as tf

from pipeline_testing.examples import encode
from pipeline_testing.skew import Arrays, Serve
from schemas.request import request_key


def by_graph(graph: Any, columns: Sequence[str]) -> Serve:
    """Serialized examples through a transform graph (a TFTransformOutput): its features."""
    layer, spec = graph.transform_features_layer(), graph.raw_feature_spec()

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)], autograph=False)
    def transform(examples: tf.Tensor) -> Any:
        return layer(tf.io.parse_example(examples, spec))

    return lambda row: first_row(transform(_serialized(row, columns)))


def by_examples(model: Any, signature: str, columns: Sequence[str]) -> Serve:
    """Serialized examples to a signature of a SavedModel that takes nothing else."""
    answer = model.signatures[signature]
    (name,) = answer.structured_input_signature[1]
    return lambda row: first_row(answer(**{name: _serialized(row, columns)}))


def by_columns(model: Any, columns: Sequence[str]) -> Serve:
    """Raw columns one by one to the signature `predict`: NaN and the empty text are missing."""
    answer = model.signatures["predict"]
    inputs = answer.structured_input_signature[1]
    named = {request_key(column): column for column in columns}

    def ask(row: Mapping[str, Any]) -> Arrays:
        tensors = {}
        for key, spec in inputs.items():
            value = row[named[key]]
            if value is None:
                value = "" if spec.dtype == tf.string else float("nan")
            tensors[key] = tf.constant([value], spec.dtype)
        return first_row(answer(**tensors))

    return ask


def first_row(tensors: Mapping[str, Any]) -> Arrays:
    """The first row of each tensor of a batch; of a sparse one, which holds one row, the values."""
    return {
        key: tensor.values.numpy() if isinstance(tensor, tf.SparseTensor) else tensor.numpy()[0]
        for key, tensor in tensors.items()
    }


def _serialized(row: Mapping[str, Any], columns: Sequence[str]) -> tf.Tensor:
    return tf.constant(encode([{name: row[name] for name in columns}]))
