"""An evaluation of our own metrics by whole batches, with the result that TFMA writes.

TFMA takes batches apart and runs Python for each row, which takes longer than the model. Our metrics need no more than
columns, so a batch stays a batch: the model's signatures are called with it, and each slice gets its rows of what they
return. Validation and the form of the files are TFMA's.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

import apache_beam as beam
from tensorflow_model_analysis.proto.config_pb2 import EvalConfig

from components.evaluator.predict import Predict
from components.evaluator.results import write_results
from components.evaluator.rows import Scoring
from components.evaluator.score_fn import ScoreFn
from components.evaluator.scores_metric import by_metric_key
from components.evaluator.slices import SliceKey


class EvaluateBatches(beam.PTransform):
    """Examples to files with metrics and their validation.

    Args:
        config: one that `components.evaluator.understood` accepts, as
            `tfma.utils.update_eval_config_with_defaults` gives it.
        models: folder of each model's SavedModel, by its name in the config.
        folder: of the ModelEvaluation artifact.
    """

    def __init__(self, config: EvalConfig, models: Mapping[str, str], folder: str) -> None:
        super().__init__()
        self._config, self._models, self._folder = config, models, folder

    def expand(self, batches: beam.PCollection) -> beam.PCollection:
        """The transform.

        Args:
            batches: pa.RecordBatch, as `components.evaluator.predict` takes them.
        """
        (spec,) = self._config.metrics_specs
        chosen = json.loads(spec.metrics[0].config)
        scoring = Scoring(chosen["kind"], tuple(chosen["metrics"]), tuple(chosen["thresholds"]))
        return (
            batches
            | "Predict" >> beam.ParDo(Predict(self._config, self._models))
            | "Score" >> beam.CombinePerKey(ScoreFn(scoring))
            | "Together" >> beam.CombineGlobally(beam.combiners.ToListCombineFn())
            | "Write" >> beam.Map(_write, self._config, self._models, self._folder)
        )


def _write(
    scores: Iterable[tuple[tuple[SliceKey, str], Mapping[str, Any]]],
    config: EvalConfig,
    models: Mapping[str, str],
    folder: str,
) -> None:
    metrics: dict[SliceKey, dict[Any, Any]] = {}
    for (key, model), found in scores:
        metrics.setdefault(key, {}).update(by_metric_key(found, model))
    baseline = next((spec.name for spec in config.model_specs if spec.is_baseline), None)
    if baseline is not None:
        for values in metrics.values():
            values.update(_differences(values, baseline))
    write_results(metrics, config, models, folder)


def _differences(metrics: Mapping[Any, Any], baseline: str) -> dict[Any, Any]:
    """What each metric of the candidate is more than the baseline's."""
    return {
        key.make_diff_key(): value - metrics[key.make_baseline_key(baseline)]
        for key, value in metrics.items()
        if key.model_name != baseline
    }
