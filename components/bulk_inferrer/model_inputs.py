"""What a signature takes of a batch of examples: the examples, or raw columns one by one."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import tensorflow as tf
from tensorflow.core.protobuf.meta_graph_pb2 import SignatureDef

from components.bulk_inferrer.single_values import single_values
from schemas.errors import EvaluationError
from schemas.request import request_key

EXAMPLES = "examples"
"""The input of our own signatures that take examples, whatever columns there are."""
_TYPES = (tf.string, tf.float32, tf.float64)
"""Of raw columns in a request."""


def raw_inputs(
    signature: SignatureDef, name: str, columns: Collection[str], *, setting: str = "inference.signature"
) -> dict[str, str]:
    """The raw column of each input of a signature; none where it takes serialized examples.

    Args:
        signature: what it takes and gives.
        name: of the signature, for messages.
        columns: raw columns that there are.
        setting: that names it, for messages.

    Raises:
        EvaluationError: it takes something else.
    """
    by_key = {request_key(column): column for column in columns}
    types = {key: tf.as_dtype(one.dtype) for key, one in signature.inputs.items()}
    if list(types.values()) == [tf.string] and (EXAMPLES in types or not types.keys() & by_key.keys()):
        return {}
    if types and types.keys() <= by_key.keys() and all(dtype in _TYPES for dtype in types.values()):
        return {key: by_key[key] for key in types}
    raise EvaluationError(
        f"The signature {name!r} takes neither serialized tf.Examples nor raw columns that are read here.",
        where=setting,
        received=f"inputs {', '.join(f'{key} ({dtype.name})' for key, dtype in sorted(types.items()))[:300]}",
        fix="Name one that does: serving_default takes examples, of every model that is trained here.",
    )


def column_input(column: Any) -> npt.NDArray[Any]:
    """A list column of a batch as a request has it: one value a row, NaN or the empty text where it is missing.

    Whole numbers are float64, as `models.signatures` takes them.
    """
    values = single_values(column)
    kind = values.type
    if pa.types.is_large_binary(kind) or pa.types.is_binary(kind):
        return np.array(values.fill_null(b"").to_pylist(), object)
    dtype = np.float64 if pa.types.is_integer(kind) else np.float32
    return np.asarray(values.to_numpy(zero_copy_only=False), dtype)


def inputs_of(batch: pa.RecordBatch, columns: Mapping[str, str]) -> dict[str, npt.NDArray[Any]]:
    """What is given to the signature, by its inputs.

    Args:
        batch: list columns.
        columns: from `raw_inputs`.
    """
    return {key: column_input(batch.column(batch.schema.get_field_index(name))) for key, name in columns.items()}
