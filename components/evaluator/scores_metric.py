"""Our metrics as one TFMA metric.

TFMA runs Python for every metric of every row of every slice. One metric that collects the columns of a slice and
scores them at once costs a third of that, and the values are exact instead of interpolated between thresholds.

An evaluation of nothing but this metric does without TFMA's work on rows: see `components.evaluator.batches`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow_model_analysis as tfma
from tensorflow_model_analysis.metrics.binary_confusion_matrices import Matrices

from components.evaluator.rows import Rows, Scoring
from components.evaluator.score_fn import ScoreFn
from components.evaluator.scores import Column, Score


class ScoresMetric(tfma.metrics.Metric):
    """Scores of one kind of prediction, under their own names.

    Args:
        kind: `binary`, `classes` or `number`.
        metrics: names of the metrics to keep.
        thresholds: of the confusion matrices of binary predictions.
        name: of the metric as a whole; nothing is reported under it.
    """

    def __init__(
        self, kind: str, metrics: Sequence[str], thresholds: Sequence[float] = (), name: str = "scores"
    ) -> None:
        super().__init__(_computations, name=name, kind=kind, metrics=list(metrics), thresholds=list(thresholds))


def by_metric_key(scores: Mapping[str, Score], model: str) -> dict[Any, Any]:
    """Scores of one slice as TFMA has them.

    Args:
        scores: by name.
        model: name of the model, empty where there is only one.

    Returns:
        Values by `tfma.metrics.MetricKey`.
    """
    return {_key(name, model): _metric_value(score) for name, score in scores.items()}


def _computations(
    name: str,
    kind: str,
    metrics: list[str],
    thresholds: list[float],
    model_names: list[str] | None = None,
    example_weighted: bool = False,
) -> list[Any]:
    del name
    scoring = Scoring(kind, tuple(metrics), tuple(thresholds))
    return [
        tfma.metrics.MetricComputation(
            keys=[_key(metric, model) for metric in scoring.names],
            preprocessors=None,
            combiner=_ScoreExtracts(scoring, model, example_weighted),
        )
        for model in model_names or [""]
    ]


class _ScoreExtracts(ScoreFn):
    """Scores of rows that TFMA hands on one by one."""

    def __init__(self, scoring: Scoring, model: str, weighted: bool) -> None:
        super().__init__(scoring)
        self._model = model
        self._weighted = weighted

    def add_input(self, accumulator: list[Rows], element: Any) -> list[Rows]:
        weight = self._of(element[tfma.EXAMPLE_WEIGHTS_KEY])[0] if self._weighted else np.ones(1)
        labels, predictions = self._of(element[tfma.LABELS_KEY]), self._of(element[tfma.PREDICTIONS_KEY])
        return super().add_input(accumulator, Rows(labels, predictions, weight))

    def extract_output(self, accumulator: list[Rows]) -> dict[Any, Any]:
        return by_metric_key(super().extract_output(accumulator), self._model)

    def _of(self, value: Any) -> Column:
        """One row's value, [1, size]; with a baseline beside the candidate it is keyed by model."""
        return np.asarray(value[self._model] if isinstance(value, dict) else value, np.float64).reshape(1, -1)


def _key(metric: str, model: str) -> Any:
    # Thresholds given by name look for keys that do not say whether they are weighted.
    return tfma.metrics.MetricKey(name=metric, model_name=model, example_weighted=None)


def _metric_value(score: Score) -> Any:
    if not isinstance(score, dict):
        return score
    counts = list(score.values())
    return Matrices(
        thresholds=list(score),
        tp=[count["true_positives"] for count in counts],
        tn=[count["true_negatives"] for count in counts],
        fp=[count["false_positives"] for count in counts],
        fn=[count["false_negatives"] for count in counts],
    )
