"""Columns as they are read from examples, and a model whose predictions are columns of its examples."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pyarrow as pa
import pytest
import tensorflow as tf

from pipeline_testing.rows import record_batch
from schemas.transformed import LABEL_KEY, PREDICTION_KEY, WEIGHT_KEY
from tests.unit.conftest import Columns, rows_of


class ColumnModel(tf.Module):
    """Predicts the columns `columns` times `scale`; its label is the column `label`, its weight the column `weight`."""

    def __init__(self, columns: Sequence[str], scale: float, label_type: tf.DType) -> None:
        super().__init__()
        self._columns = columns
        self._scale = scale
        self._label_type = label_type

    def _column(self, examples: tf.Tensor, name: str) -> tf.Tensor:
        return tf.io.parse_example(examples, {name: tf.io.FixedLenFeature([1], tf.float32, 1.0)})[name]

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def serve(self, examples: tf.Tensor) -> dict[str, tf.Tensor]:
        columns = [self._column(examples, name) for name in self._columns]
        return {PREDICTION_KEY: self._scale * tf.concat(columns, axis=1)}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def transform(self, examples: tf.Tensor) -> dict[str, tf.Tensor]:
        label = tf.cast(self._column(examples, "label"), self._label_type)
        return {LABEL_KEY: label, WEIGHT_KEY: self._column(examples, "weight")}


@pytest.fixture(scope="session")
def batch() -> Callable[[Columns], pa.RecordBatch]:
    """Makes list columns of columns of values."""
    return lambda columns: record_batch(rows_of(columns))


@pytest.fixture(scope="session")
def export() -> Callable[..., Path]:
    """Exports a ColumnModel as a Model artifact has it and returns the artifact's folder."""

    def save(
        folder: Path, columns: Sequence[str] = ("score",), scale: float = 1.0, label_type: tf.DType = tf.float32
    ) -> Path:
        model = ColumnModel(columns, scale, label_type)
        signatures = {"serving_default": model.serve, "transform_features": model.transform}
        tf.saved_model.save(model, str(folder / "Format-Serving"), signatures=signatures)
        return folder

    return save
