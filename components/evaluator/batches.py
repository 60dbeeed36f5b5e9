"""An evaluation of our own metrics by whole batches, with the result that TFMA writes.

TFMA takes batches apart and runs Python for each row, which takes longer than the model. Our metrics need no more than
columns, so a batch stays a batch: the model's signatures are called with it, and each slice gets its rows of what they
return. Validation and writing are TFMA's.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import apache_beam as beam
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import tensorflow as tf
import tensorflow_model_analysis as tfma
from apache_beam.utils.shared import Shared
from tensorflow_model_analysis.evaluators import metrics_validator
from tensorflow_model_analysis.proto.config_pb2 import EvalConfig

from components.evaluator.rows import Rows, Scoring
from components.evaluator.scores_metric import ScoresMetric, metric_values
from components.evaluator.slices import SliceKey, slices_of
from schemas.errors import EvaluationError

_UNDERSTOOD: Mapping[str, tuple[str, ...]] = {
    "model_specs": (
        *("signature_name", "preprocessing_function_names"),
        *("label_key", "prediction_key", "example_weight_key"),
    ),
    "slicing_specs": ("feature_keys", "feature_values"),
    "metrics_specs": ("metrics", "thresholds", "per_slice_thresholds"),
    "options": ("include_default_metrics",),
}
"""Fields of `tfma.EvalConfig` that mean the same here."""

ByModel = dict[str, Rows]


def understands(config: EvalConfig) -> bool:
    """Whether an evaluation can be made by batches.

    Args:
        config: as it was written, before TFMA adds the baseline. It may ask for ScoresMetric, once, and for nothing
            that TFMA does by rows.
    """
    metrics = [metric for spec in config.metrics_specs for metric in spec.metrics]
    return (
        not _beyond(config)
        and [(metric.module, metric.class_name) for metric in metrics] == [(ScoresMetric.__module__, "ScoresMetric")]
        and len(config.metrics_specs) == len(config.model_specs) == 1
        and len(config.slicing_specs) > 0
        and all(
            len(spec.preprocessing_function_names) == 1
            and spec.signature_name
            and spec.label_key
            and spec.prediction_key
            for spec in config.model_specs
        )
        and config.options.HasField("include_default_metrics")
        and not config.options.include_default_metrics.value
    )


def _beyond(config: EvalConfig) -> bool:
    """Whether a field is set that nothing here knows."""
    rest = EvalConfig()
    rest.CopyFrom(config)
    for section, names in _UNDERSTOOD.items():
        for spec in [rest.options] if section == "options" else getattr(rest, section):
            for name in names:
                spec.ClearField(name)
            if spec.ByteSize():
                return True
        rest.ClearField(section)
    return bool(rest.ByteSize())


class EvaluateBatches(beam.PTransform):
    """Examples to metrics and their validation.

    Args:
        config: as `tfma.utils.update_eval_config_with_defaults` gives it.
        models: folder of each model's SavedModel, by its name in the config.
    """

    def __init__(self, config: EvalConfig, models: Mapping[str, str]) -> None:
        super().__init__()
        self._config = config
        self._models = models

    def expand(self, batches: beam.PCollection) -> dict[str, beam.PCollection]:
        """What TFMA's writers take.

        Args:
            batches: pa.RecordBatch with the columns of the slices and, as `tfma.ARROW_INPUT_COLUMN`, the serialized
                examples.
        """
        (spec,) = self._config.metrics_specs
        chosen = json.loads(spec.metrics[0].config)
        scoring = Scoring(chosen["kind"], tuple(chosen["metrics"]), tuple(chosen["thresholds"]))
        baseline = next((model.name for model in self._config.model_specs if model.is_baseline), None)
        metrics = (
            batches
            | "Predict" >> beam.ParDo(_Predict(self._config, self._models))
            | "Score" >> beam.CombinePerKey(_Score(scoring))
            | "Compare" >> beam.MapTuple(lambda key, metrics: (key, _with_differences(metrics, baseline)))
        )
        validations = metrics | "Validate" >> beam.Map(metrics_validator.validate_metrics, self._config)
        none = metrics | "None" >> beam.Filter(lambda _: False)
        return {
            tfma.METRICS_KEY: metrics,
            tfma.VALIDATIONS_KEY: validations,
            tfma.PLOTS_KEY: none,
            tfma.ATTRIBUTIONS_KEY: none,
        }


class _Predict(beam.DoFn):
    """Rows of each slice, with what each model says of them."""

    def __init__(self, config: EvalConfig, models: Mapping[str, str]) -> None:
        self._config = config
        self._models = {name: (folder, Shared()) for name, folder in models.items()}
        self._loaded: dict[str, Any] = {}

    def setup(self) -> None:
        # Threads of a worker share what is loaded.
        self._loaded = {
            name: shared.acquire(lambda folder=folder: tf.saved_model.load(folder))
            for name, (folder, shared) in self._models.items()
        }

    def process(self, batch: pa.RecordBatch) -> Iterator[tuple[SliceKey, ByModel]]:
        records = batch.column(batch.schema.get_field_index(tfma.ARROW_INPUT_COLUMN)).flatten()
        examples = tf.constant(records.to_numpy(zero_copy_only=False), tf.string)
        rows: ByModel = {}
        transformed = []
        for spec in self._config.model_specs:
            (preprocessing,) = spec.preprocessing_function_names
            features = _call(self._loaded[spec.name], preprocessing, examples)
            predictions = _call(self._loaded[spec.name], spec.signature_name, examples)
            weight = spec.example_weight_key
            rows[spec.name] = Rows(
                _column(features, spec.label_key, preprocessing),
                _column(predictions, spec.prediction_key, spec.signature_name),
                _column(features, weight, preprocessing)[:, 0] if weight else np.ones(batch.num_rows),
            )
            transformed.append(features)
        for key, numbers in slices_of(batch, transformed, self._config.slicing_specs):
            yield key, {name: part[numbers] for name, part in rows.items()}


def _call(model: Any, signature: str, examples: tf.Tensor) -> dict[str, npt.NDArray[Any]]:
    function = model.signatures[signature]
    inputs = list(function.structured_input_signature[1])
    if len(inputs) != 1:
        raise EvaluationError(
            f"The signature {signature!r} of the model takes other inputs than serialized examples.",
            where="model",
            received=", ".join(sorted(inputs)),
            fix="Export it with one input, a tensor of serialized examples.",
        )
    return {key: value.numpy() for key, value in function(**{inputs[0]: examples}).items()}


def _column(outputs: Mapping[str, npt.NDArray[Any]], key: str, signature: str) -> npt.NDArray[np.float64]:
    if key not in outputs:
        raise EvaluationError(
            f"The signature {signature!r} of the model does not give {key!r}, which the evaluation needs.",
            where="model",
            received=", ".join(sorted(outputs)),
            fix=f"Export it with an output {key!r}.",
        )
    return outputs[key].reshape(len(outputs[key]), -1).astype(np.float64)


class _Score(beam.CombineFn):
    """Collects the rows of a slice, and scores them at the end."""

    def __init__(self, scoring: Scoring) -> None:
        self._scoring = scoring

    def create_accumulator(self) -> list[ByModel]:
        return []

    def add_input(self, accumulator: list[ByModel], element: ByModel) -> list[ByModel]:
        accumulator.append(element)
        return accumulator

    def merge_accumulators(self, accumulators: Iterable[list[ByModel]]) -> list[ByModel]:
        return [part for accumulator in accumulators for part in accumulator]

    def compact(self, accumulator: list[ByModel]) -> list[ByModel]:
        return [_joined(accumulator)] if len(accumulator) > 1 else accumulator

    def extract_output(self, accumulator: list[ByModel]) -> dict[Any, Any]:
        found: dict[Any, Any] = {}
        for model, rows in _joined(accumulator).items():
            found.update(metric_values(self._scoring, rows, model))
        return found


def _joined(parts: Sequence[ByModel]) -> ByModel:
    return {model: Rows.joined(part[model] for part in parts) for model in parts[0]}


def _with_differences(metrics: Mapping[Any, Any], baseline: str | None) -> dict[Any, Any]:
    """Metrics and, beside each of the candidate, what it is more than the baseline's."""
    if baseline is None:
        return dict(metrics)
    differences = {
        key.make_diff_key(): value - metrics[key.make_baseline_key(baseline)]
        for key, value in metrics.items()
        if key.model_name != baseline
    }
    return {**metrics, **differences}
