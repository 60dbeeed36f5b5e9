"""The columns of the predictions, known from the signature before the first row is read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
import tensorflow as tf
from tensorflow.core.protobuf.meta_graph_pb2 import SignatureDef

from schemas.errors import EvaluationError
from schemas.features import Dtype
from schemas.prediction_columns import CLASS, PROBABILITIES, ROW_ID
from schemas.transformed import PREDICTION_KEY

_DTYPES: Mapping[Dtype, Any] = {"int": pa.int64(), "float": pa.float32(), "string": pa.string()}
_OUTPUTS: Mapping[Any, Any] = {
    tf.float32: pa.float32(),
    tf.float64: pa.float64(),
    tf.int32: pa.int64(),
    tf.int64: pa.int64(),
    tf.bool: pa.bool_(),
    tf.string: pa.string(),
}


def written_outputs(signature: SignatureDef, name: str, wanted: Sequence[str]) -> tuple[str, ...]:
    """Outputs of a signature that are to be written.

    Args:
        signature: what it takes and gives.
        name: of the signature, for messages.
        wanted: names of outputs; empty: all of them.

    Raises:
        EvaluationError: it does not give what is wanted.
    """
    for output in wanted:
        if output not in signature.outputs:
            raise EvaluationError(
                f"The signature {name!r} of the model does not give {output!r}.",
                where="inference.outputs",
                received=f"outputs {', '.join(sorted(signature.outputs))}",
                fix="Name outputs that it gives, or leave the setting out.",
            )
    return tuple(wanted) or tuple(sorted(signature.outputs))


def prediction_schema(
    signature: SignatureDef, outputs: Sequence[str], named: Sequence[str], id_columns: Mapping[str, Dtype]
) -> pa.Schema:
    """Names and types of the columns of the predictions.

    Args:
        signature: of the model.
        outputs: of the signature, which are written.
        named: from `schemas.prediction_columns.prediction_columns`: columns that stand for the one output; empty: each
            output has a column of its own name.
        id_columns: raw columns, with their types.

    Raises:
        EvaluationError: an output has no value for each row, or one of an unknown type, or the name of an id column.
    """
    fields = [pa.field(ROW_ID, pa.string()), *(pa.field(name, _DTYPES[dtype]) for name, dtype in id_columns.items())]
    types = {output: _type(signature.outputs[output], output) for output in outputs}
    for name in named or outputs:
        if name in (ROW_ID, *id_columns):
            raise EvaluationError(
                "Two columns of the predictions would have one name.",
                where="inference",
                received=name,
                fix="Leave it out of inference.outputs or of inference.id_columns.",
            )
    if named:
        number = types[PREDICTION_KEY]
        number = number.value_type if pa.types.is_list(number) else number
        special = {CLASS: pa.string(), PROBABILITIES: pa.list_(number)}
        return pa.schema([*fields, *(pa.field(name, special.get(name, number)) for name in named)])
    return pa.schema([*fields, *(pa.field(output, kind) for output, kind in types.items())])


def _type(output: Any, name: str) -> Any:
    """A number or text for each row or, where the output has two dimensions, a list of them."""
    kind = _OUTPUTS.get(tf.as_dtype(output.dtype))
    shape = output.tensor_shape
    sizes = [dim.size for dim in shape.dim]
    if kind is None or shape.unknown_rank or not 1 <= len(sizes) <= 2:
        raise EvaluationError(
            f"The output {name!r} is not a column: one value, or a list of values, for each row.",
            where="inference.outputs",
            received=f"{tf.as_dtype(output.dtype).name} {'of any shape' if shape.unknown_rank else sizes}",
            fix="Name the outputs that are to be written in inference.outputs, without this one.",
        )
    return kind if len(sizes) == 1 or sizes[1] == 1 else pa.list_(kind)
