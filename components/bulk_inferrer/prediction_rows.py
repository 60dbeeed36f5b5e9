"""A batch of examples and what the model says of it, as rows of the predictions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from components.bulk_inferrer.single_values import single_values
from schemas.errors import EvaluationError
from schemas.prediction_columns import CLASS, ROW_ID
from schemas.raw_columns import ROW_ID_COLUMN
from schemas.transformed import PREDICTION_KEY


def prediction_rows(
    batch: pa.RecordBatch,
    outputs: Mapping[str, npt.NDArray[Any]],
    schema: pa.Schema,
    named: Sequence[str] = (),
    classes: Sequence[str] = (),
) -> pa.RecordBatch:
    """One row for each example.

    Args:
        batch: list columns of the examples, one of them with the ids of their rows.
        outputs: of the signature, each with a first dimension of the batch's size.
        schema: from `prediction_schema`.
        named: columns that stand for the one output `predictions`, if they do.
        classes: names of the classes, of a model that predicts classes.

    Raises:
        EvaluationError: the model gives another number of rows, or of classes.
    """
    columns = []
    for field in schema:
        if field.name in named:
            columns.append(_named(field, outputs[PREDICTION_KEY], batch.num_rows, classes))
        elif field.name in outputs and not named:
            columns.append(_column(field, outputs[field.name], batch.num_rows))
        else:
            place = batch.schema.get_field_index(ROW_ID_COLUMN if field.name == ROW_ID else field.name)
            columns.append(single_values(batch.column(place)).cast(field.type))
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def _named(field: pa.Field, predictions: npt.NDArray[Any], rows: int, classes: Sequence[str]) -> Any:
    if classes and predictions.shape[1:] != (len(classes),):
        raise EvaluationError(
            "The model does not predict the classes of label.classes.",
            where="model",
            received=f"predictions of the shape {list(predictions.shape)} for {len(classes)} classes",
            fix="Predict with the settings that the model was trained with.",
        )
    if field.name == CLASS:
        best = pa.array(_checked(predictions, rows).argmax(axis=1))
        return pa.array(list(classes), pa.string()).take(best)
    return _column(field, predictions, rows)


def _column(field: pa.Field, values: npt.NDArray[Any], rows: int) -> Any:
    values = _checked(values, rows)
    if not pa.types.is_list(field.type):
        return _array(values.reshape(rows), field.type)
    size = values.shape[1]
    offsets = pa.array(np.arange(rows + 1, dtype=np.int32) * size)
    return pa.ListArray.from_arrays(offsets, _array(values.reshape(-1), field.type.value_type))


def _array(values: npt.NDArray[Any], kind: Any) -> Any:
    if values.dtype == object:  # texts, as bytes
        return pa.array(values.tolist(), pa.binary()).cast(kind)
    return pa.array(values).cast(kind)


def _checked(values: npt.NDArray[Any], rows: int) -> npt.NDArray[Any]:
    if len(values) != rows:
        raise EvaluationError(
            "The model gives another number of predictions than it was given rows.",
            where="model",
            received=f"{len(values)} predictions for {rows} rows",
            fix="Export a signature whose outputs have a row for each example.",
        )
    return values
