"""What is asked of a model: rows of the data, as each of its signatures takes them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf
from tensorflow.core.protobuf.meta_graph_pb2 import SignatureDef, TensorInfo

from components.bulk_inferrer.model_inputs import EXAMPLES, raw_inputs
from schemas.errors import EvaluationError

CLIENTS = ("serving_default", "predict", "retrieve")
"""Signatures that clients of our models ask; transform_features is for the evaluation."""


@dataclass(frozen=True)
class Question:
    """A signature and its inputs.

    Attributes:
        signature: its name.
        inputs: arrays [rows], or [rows, 1], by key.
        is_guess: whether its one input takes texts that need not be serialized examples.
    """

    signature: str
    inputs: Mapping[str, npt.NDArray[Any]]
    is_guess: bool = False

    def row(self, place: int) -> Question:
        """The question for one of the rows."""
        return Question(self.signature, {key: values[place : place + 1] for key, values in self.inputs.items()})


def questions(
    signatures: Mapping[str, SignatureDef],
    examples: Sequence[bytes],
    columns: Collection[str],
    names: Sequence[str] = (),
) -> tuple[list[Question], list[str]]:
    """A question for each signature that clients ask, and a line for each that cannot be asked with these rows.

    Args:
        signatures: of the model, by name.
        examples: serialized tf.Examples.
        columns: raw columns that there are.
        names: of the signatures; none: those of `CLIENTS` that the model has and that can be asked.

    Raises:
        EvaluationError: there is none, or a named one takes something else than serialized examples or raw columns,
            one value a row.
    """
    parsed = [tf.train.Example.FromString(example) for example in examples]
    found, skipped = [], []
    for name in names or CLIENTS:
        if name in signatures:
            try:
                found.append(_question(name, signatures[name], parsed, examples, columns))
            except EvaluationError as error:
                if names:
                    raise
                skipped.append(f"{name}: {error.received}")
        elif names:
            raise _nothing([name], signatures)
    if not found:
        raise _nothing(CLIENTS, signatures)
    return found, skipped


def _question(
    name: str,
    signature: SignatureDef,
    parsed: Sequence[tf.train.Example],
    examples: Sequence[bytes],
    columns: Collection[str],
) -> Question:
    of_columns = raw_inputs(signature, name, columns, setting="smoke_check.signatures")
    inputs = {}
    for key, info in signature.inputs.items():
        if of_columns:
            values = _column(parsed, of_columns[key], tf.as_dtype(info.dtype))
        else:
            values = np.array(examples, dtype=object)
        inputs[key] = _shaped(values, name, key, info)
    return Question(name, inputs, is_guess=not of_columns and EXAMPLES not in inputs)


def _shaped(values: npt.NDArray[Any], name: str, key: str, info: TensorInfo) -> npt.NDArray[Any]:
    """One value a row, [rows], in the rank that an input has, as [rows, 1] of a Keras Input(shape=(1,))."""
    shape = tf.TensorShape(info.tensor_shape)
    if shape.rank is None:
        return values
    if shape.rank and shape[0] is None and all(size in (None, 1) for size in shape[1:]):
        return values.reshape(-1, *[1] * (shape.rank - 1))
    raise EvaluationError(
        f"The signature {name!r} does not take one value of each row.",
        where="smoke_check.signatures",
        received=f"input {key}, {tf.as_dtype(info.dtype).name} of shape {shape}",
        fix="Name one that does: serving_default takes examples, of every model that is trained here.",
    )


def _column(examples: Sequence[tf.train.Example], name: str, dtype: tf.DType) -> npt.NDArray[Any]:
    """A raw column as a request has it: one value a row, NaN or the empty text where it is missing."""
    missing = b"" if dtype == tf.string else float("nan")
    values = [_first(example.features.feature, name, missing) for example in examples]
    return np.array(values, dtype=object if dtype == tf.string else dtype.as_numpy_dtype)


def _first(features: Any, name: str, missing: object) -> object:
    kind = features[name].WhichOneof("kind") if name in features else None
    values = getattr(features[name], kind).value if kind else ()
    return values[0] if values else missing


def _nothing(wanted: Sequence[str], signatures: Collection[str]) -> EvaluationError:
    return EvaluationError(
        "The model has no such signature that rows of the data could be asked of.",
        where="smoke_check.signatures",
        received=", ".join(wanted),
        fix=f"The model has {', '.join(sorted(signatures)) or 'none'}: name them, export serving_default, or "
        "switch the check off by smoke_check.enabled: false.",
    )
