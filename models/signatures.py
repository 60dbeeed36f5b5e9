"""What the SavedModel answers to.

    serving_default(examples: string [batch])         -> {"predictions"}: serialized tf.Examples with the raw columns
    predict(one tensor [batch] for each raw column)   -> {"predictions"}: named raw columns, for REST and gRPC clients
    transform_features(examples: string [batch])      -> every transformed feature, label and weight: for TFMA
    retrieve(one tensor [batch] for each raw column of the query) -> {"candidates", "scores"}: of a recommender only

`predictions` is float32: [batch, 1] with the probability of yes, [batch, classes] with each class's probability, or
[batch, 1] with the predicted number. A label given by names keeps the order of `label.classes`.

`predict` takes the feature table's `inputs` and nothing else: floats as float32, whole numbers as float64 (which holds
them exactly up to 2 ** 53), strings as bytes. NaN, and the empty string, mean that the value is missing; it then takes
the same default as in training, because every way leads through the transform graph that training used. Each input has
the column's name or, where TensorFlow cannot hold that, what `schemas.request` makes of it: "Trip Miles" is Trip_Miles.
`retrieve` takes those of them that the query's features read, and gives for each row the raw values that name the best
candidates, the best first, [batch, most], and their scores, float32.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import tensorflow as tf

from models.head import Head
from models.index import Index
from models.raw_columns import parsed, raw_specs, transformed
from schemas.errors import TrainingError
from schemas.request import request_key
from schemas.transformed import PREDICTION_KEY

EXAMPLES = "examples"
CANDIDATES = "candidates"
SCORES = "scores"


class ServingModule(tf.Module):
    """A trained model joined with its transform graph.

    It holds plain functions and variables and nothing of Keras: saving traces three functions, not every layer.

    Args:
        model: features as Transform gives them -> the head's outputs; its variables must exist.
        head: turns outputs into predictions.
        transform_graph: folder of the transform graph's SavedModel (`TFTransformOutput.transform_savedmodel_dir`).
        inputs: raw columns of a prediction request.
        features: keys of the transformed features that the model takes.
        index: of a recommender, its candidates.
        query: raw columns that a recommender's query needs.

    Raises:
        TrainingError: an input is not a column of the transform graph.
    """

    def __init__(
        self,
        model: tf.keras.Model,
        head: Head,
        transform_graph: str,
        inputs: Sequence[str],
        features: Sequence[str],
        index: Index | None = None,
        query: Sequence[str] = (),
    ) -> None:
        super().__init__()
        self._call = _Untracked(model)
        self._head = _Untracked(head)
        self.weights = list(model.weights)
        self.transform = tf.saved_model.load(transform_graph)
        self._raw = _Untracked(raw_specs(self.transform))
        self._inputs = tuple(inputs)
        self._features = tuple(features)
        self._index = index
        self._query = tuple(query)
        for name in self._inputs:
            if name not in self._raw.value:
                raise TrainingError(
                    f"The feature table reads {name!r}, which the transform graph does not know.",
                    where="preprocessing_fn",
                    received=sorted(self._raw.value),
                    fix="Run Transform again with this feature table.",
                )

    def signatures(self) -> dict[str, Any]:
        """The concrete functions by name."""
        raw = self._raw.value
        examples = tf.TensorSpec([None], tf.string, EXAMPLES)
        named = {
            name: tf.TensorSpec([None], _request_dtype(raw[name].dtype), request_key(name)) for name in self._inputs
        }
        # Both ways of asking end in this one function, so that it is traced and stored once.
        sparse = {name: tf.SparseTensorSpec([None, None], raw[name].dtype) for name in self._inputs}
        answer = tf.function(self._predictions, [sparse], autograph=False)

        def serving_default(examples: tf.Tensor) -> dict[str, tf.Tensor]:
            return answer(parsed(examples, self._inputs, raw))

        def predict(columns: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
            return answer({name: _without_missing(columns[name], raw[name].dtype) for name in self._inputs})

        def retrieve(columns: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
            return self._retrieved({name: _without_missing(columns[name], raw[name].dtype) for name in self._query})

        def transform_features(examples: tf.Tensor) -> dict[str, tf.Tensor]:
            return self._transformed(parsed(examples, tuple(raw), raw), tf.size(examples))

        functions = {
            "serving_default": tf.function(serving_default, [examples], autograph=False).get_concrete_function(),
            "predict": tf.function(predict, [named], autograph=False).get_concrete_function(),
            "transform_features": tf.function(transform_features, [examples], autograph=False).get_concrete_function(),
        }
        if self._index is not None:
            asked = {name: named[name] for name in self._query}
            functions["retrieve"] = tf.function(retrieve, [asked], autograph=False).get_concrete_function()
        return functions

    def _predictions(self, raw: Mapping[str, tf.SparseTensor]) -> dict[str, tf.Tensor]:
        features = self._transformed(raw, raw[self._inputs[0]].dense_shape[0])
        outputs = self._call.value({key: features[key] for key in self._features}, training=False)
        return {PREDICTION_KEY: self._head.value.predictions(outputs)}

    def _retrieved(self, raw: Mapping[str, tf.SparseTensor]) -> dict[str, tf.Tensor]:
        index = cast(Index, self._index)
        features = self._transformed(raw, raw[self._query[0]].dense_shape[0])
        scores, places = index.search(self._call.value.query({key: features[key] for key in self._features}))
        return {CANDIDATES: tf.gather(index.names, places), SCORES: scores}

    def _transformed(self, raw: Mapping[str, tf.SparseTensor], rows: tf.Tensor) -> dict[str, tf.Tensor]:
        # Label and weight are not part of a request, nor is a candidate that is to be found: the graph gets them empty,
        # and what comes of them is not used.
        return transformed(self.transform, self._raw.value, raw, rows)


class _Untracked:
    """Holds what must not become part of the SavedModel."""

    def __init__(self, value: Any) -> None:
        self.value = value


def _request_dtype(dtype: tf.DType) -> tf.DType:
    return tf.float64 if dtype == tf.int64 else dtype


def _without_missing(column: tf.Tensor, dtype: tf.DType) -> tf.SparseTensor:
    """A column [batch] as VarLen parsing would give it: [batch, 1] without the missing values."""
    present = tf.not_equal(column, "") if dtype == tf.string else tf.logical_not(tf.math.is_nan(column))
    rows = tf.where(present)
    values = tf.cast(tf.gather_nd(column, rows), dtype)
    return tf.SparseTensor(tf.concat([rows, tf.zeros_like(rows)], axis=1), values, [tf.shape(column, tf.int64)[0], 1])
