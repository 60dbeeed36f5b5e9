"""What models say of a batch of examples, by slices."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import apache_beam as beam
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import tensorflow_model_analysis as tfma
from apache_beam.utils.shared import Shared
from tensorflow_model_analysis.proto.config_pb2 import EvalConfig

from components.evaluator.narrow import Numbers, narrow
from components.evaluator.rows import Rows
from components.evaluator.slices import SliceKey, slices_of
from components.served_model.signatures import Signatures
from schemas.errors import EvaluationError


class Predict(beam.DoFn):
    """Batches of examples to the rows of each slice, with what each model says of them.

    Args:
        config: one that `components.evaluator.understood` accepts, with TFMA's defaults.
        models: folder of each model's SavedModel, by its name in the config.
    """

    def __init__(self, config: EvalConfig, models: Mapping[str, str]) -> None:
        self._config = config
        self._models = {name: (folder, Shared()) for name, folder in models.items()}
        self._loaded: dict[str, Signatures] = {}

    def setup(self) -> None:
        """Loads the models, once for all threads of a worker."""
        for spec in self._config.model_specs:
            folder, shared = self._models[spec.name]
            names = (*spec.preprocessing_function_names, spec.signature_name)
            self._loaded[spec.name] = shared.acquire(lambda folder=folder, names=names: Signatures(folder, names))

    def process(self, batch: pa.RecordBatch) -> Iterator[tuple[tuple[SliceKey, str], Rows]]:
        """The rows by slice and name of the model.

        Args:
            batch: columns of the slices and, as `tfma.ARROW_INPUT_COLUMN`, the serialized examples.

        Raises:
            EvaluationError: a signature lacks an output.
        """
        records = batch.column(batch.schema.get_field_index(tfma.ARROW_INPUT_COLUMN)).flatten()
        examples = records.to_numpy(zero_copy_only=False)
        rows, transformed = {}, []
        for spec in self._config.model_specs:
            (preprocessing,) = spec.preprocessing_function_names
            answers = self._loaded[spec.name](examples)
            features, weight = answers[preprocessing], spec.example_weight_key
            rows[spec.name] = Rows(
                _column(features, spec.label_key, preprocessing),
                _column(answers[spec.signature_name], spec.prediction_key, spec.signature_name),
                _column(features, weight, preprocessing)[:, 0] if weight else np.ones(batch.num_rows, np.int8),
            )
            transformed.append(features)
        for key, numbers in slices_of(batch, transformed, self._config.slicing_specs):
            for name, part in rows.items():
                yield (key, name), part[numbers]


def _column(outputs: Mapping[str, npt.NDArray[Any]], key: str, signature: str) -> Numbers:
    if key not in outputs:
        raise EvaluationError(
            f"The signature {signature!r} of the model does not give {key!r}, which the evaluation needs.",
            where="model",
            received=", ".join(sorted(outputs)),
            fix=f"Export it with an output {key!r}.",
        )
    return narrow(outputs[key].reshape(len(outputs[key]), -1))
