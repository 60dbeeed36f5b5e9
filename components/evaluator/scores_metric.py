"""Our metrics as one TFMA metric.

TFMA runs Python for every metric of every row of every slice. One metric that collects the columns of a slice and
scores them at once costs a third of that, and the values are exact instead of interpolated between thresholds. The
collected columns take 24 bytes a row and slice, more with many classes.

An evaluation of nothing but this metric does without TFMA's work on rows: see `components.evaluator.batches`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import apache_beam as beam
import numpy as np
import tensorflow_model_analysis as tfma
from tensorflow_model_analysis.metrics.binary_confusion_matrices import Matrices

from components.evaluator.rows import Rows, Scoring
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


def metric_values(scoring: Scoring, rows: Rows, model: str) -> dict[Any, Any]:
    """What TFMA writes of the rows of one slice.

    Args:
        scoring: which scores.
        rows: of the slice.
        model: name of the model, empty where there is only one.

    Returns:
        Values by `tfma.metrics.MetricKey`.
    """
    return {_key(name, model): _metric_value(score) for name, score in scoring.score(rows).items()}


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
            combiner=_Collect(scoring, model, example_weighted),
        )
        for model in model_names or [""]
    ]


_Lists = tuple[list[Any], list[Any], list[Any]]


class _Collect(beam.CombineFn):
    """Collects labels, predictions and weights, and scores them at the end."""

    def __init__(self, scoring: Scoring, model: str, weighted: bool) -> None:
        self._scoring = scoring
        self._model = model
        self._weighted = weighted

    def create_accumulator(self) -> _Lists:
        return [], [], []

    def add_input(self, accumulator: _Lists, element: Any) -> _Lists:
        labels, predictions, weights = accumulator
        labels.append(_of(element[tfma.LABELS_KEY], self._model))
        predictions.append(_of(element[tfma.PREDICTIONS_KEY], self._model))
        if self._weighted:
            weights.append(_of(element[tfma.EXAMPLE_WEIGHTS_KEY], self._model))
        return accumulator

    def merge_accumulators(self, accumulators: Iterable[_Lists]) -> _Lists:
        merged = self.create_accumulator()
        for accumulator in accumulators:
            for rows, more in zip(merged, accumulator, strict=True):
                rows.extend(more)
        return merged

    def compact(self, accumulator: _Lists) -> _Lists:
        return tuple([_stack(rows)] if rows else [] for rows in accumulator)  # type: ignore[return-value]

    def extract_output(self, accumulator: _Lists) -> dict[Any, Any]:
        labels, predictions = _stack(accumulator[0]), _stack(accumulator[1])
        weights = _stack(accumulator[2])[:, 0] if accumulator[2] else np.ones(len(predictions))
        return metric_values(self._scoring, Rows(labels, predictions, weights), self._model)


def _key(metric: str, model: str) -> Any:
    # Thresholds given by name look for keys that do not say whether they are weighted.
    return tfma.metrics.MetricKey(name=metric, model_name=model, example_weighted=None)


def _of(value: Any, model: str) -> Any:
    """One row's value; with a baseline beside the candidate it is keyed by model."""
    return value[model] if isinstance(value, dict) else value


def _stack(rows: list[Any]) -> Column:
    """Rows, or blocks of rows that `compact` made, as one column [rows, size]."""
    blocks = [np.asarray(row, np.float64) for row in rows]
    return np.concatenate([block if block.ndim == 2 else block.reshape(1, -1) for block in blocks])


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
