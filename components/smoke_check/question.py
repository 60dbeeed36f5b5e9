"""What is asked of a model: rows of the data, as each of its signatures takes them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf
from tensorflow.core.protobuf.meta_graph_pb2 import SignatureDef

from components.bulk_inferrer.model_inputs import raw_inputs
from schemas.errors import EvaluationError

_FOR_TFMA = "transform_features"
_MISSING = {"bytes_list": b"", "float_list": float("nan")}


@dataclass(frozen=True)
class Question:
    """A signature and its inputs.

    Attributes:
        signature: its name.
        inputs: arrays [rows] by key.
    """

    signature: str
    inputs: Mapping[str, npt.NDArray[Any]]

    def row(self, place: int) -> Question:
        """The question for one of the rows."""
        return Question(self.signature, {key: values[place : place + 1] for key, values in self.inputs.items()})


def questions(
    signatures: Mapping[str, SignatureDef], examples: Sequence[bytes], columns: Collection[str]
) -> list[Question]:
    """A question for each signature that clients ask, by its name.

    Args:
        signatures: of the model. transform_features is for the evaluation only, and is left out; so is one that takes
            neither serialized examples nor raw columns.
        examples: serialized tf.Examples.
        columns: raw columns that there are.

    Raises:
        EvaluationError: no signature is left.
    """
    parsed = [tf.train.Example.FromString(example) for example in examples]
    found = []
    for name, signature in sorted(signatures.items()):
        if name == _FOR_TFMA:
            continue
        try:
            of_columns = raw_inputs(signature, name, columns)
        except EvaluationError:
            continue
        if of_columns:
            types = {key: tf.as_dtype(one.dtype) for key, one in signature.inputs.items()}
            inputs = {key: _column(parsed, column, types[key]) for key, column in of_columns.items()}
        else:
            inputs = {key: np.array(examples, dtype=object) for key in signature.inputs}
        found.append(Question(name, inputs))
    if not found:
        raise EvaluationError(
            "No signature of the model takes serialized examples or raw columns: there is nothing to ask it.",
            where="model",
            received=f"signatures {', '.join(sorted(signatures)) or 'none'}",
            fix="Export serving_default, which takes serialized examples; or set smoke_check.enabled: false.",
        )
    return found


def _column(examples: Sequence[tf.train.Example], name: str, dtype: tf.DType) -> npt.NDArray[Any]:
    """A raw column as a request has it: one value a row, NaN or the empty text where it is missing."""
    missing = _MISSING["bytes_list" if dtype == tf.string else "float_list"]
    values = [_first(example.features.feature, name, missing) for example in examples]
    return np.array(values, dtype=object if dtype == tf.string else dtype.as_numpy_dtype)


def _first(features: Any, name: str, missing: object) -> object:
    kind = features[name].WhichOneof("kind") if name in features else None
    values = getattr(features[name], kind).value if kind else ()
    return values[0] if values else missing
