"""Labels, predictions and weights of the rows of a slice, and their scores."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from components.evaluator.narrow import Numbers
from components.evaluator.scores import Column, Score, binary_scores, class_scores, number_scores

EXAMPLE_COUNT = "example_count"


@dataclass(frozen=True)
class Rows:
    """Rows of one slice, of whatever type holds the numbers: all rows of an evaluation come together in one process.

    Attributes:
        labels: [rows, 1], or [rows, classes] one-hot.
        predictions: [rows, size].
        weights: [rows].
    """

    labels: Numbers
    predictions: Numbers
    weights: Numbers

    def __getitem__(self, rows: Any) -> Rows:
        """Some of the rows, chosen as of an array."""
        return Rows(self.labels[rows], self.predictions[rows], self.weights[rows])

    @classmethod
    def joined(cls, parts: Iterable[Rows]) -> Rows:
        """The rows of all parts."""
        return cls(*(np.concatenate(columns) for columns in zip(*(_columns(part) for part in parts), strict=True)))


@dataclass(frozen=True)
class Scoring:
    """Which scores are wanted.

    Attributes:
        kind: of predictions: `binary`, `classes` or `number`.
        metrics: names of the scores to keep.
        thresholds: of the confusion matrices of binary predictions.
    """

    kind: str
    metrics: tuple[str, ...]
    thresholds: tuple[float, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Of all that `score` gives."""
        return (*self.metrics, EXAMPLE_COUNT)

    def score(self, rows: Rows) -> dict[str, Score]:
        """Scores by name, and the number of rows; the same for the same rows in whatever order, to the last bit."""
        labels, predictions, weights = _columns(rows)
        if labels.shape[1] > 1:
            labels = labels.argmax(axis=1)[:, None]
        order = np.lexsort((weights, labels[:, 0], *predictions.T))
        columns = (column[order].astype(np.float64) for column in (labels[:, 0], predictions, weights))
        scores = self._scores(*columns)
        return {**{name: scores[name] for name in self.metrics}, EXAMPLE_COUNT: float(len(predictions))}

    def _scores(self, labels: Column, predictions: Column, weights: Column) -> dict[str, Score]:
        if self.kind == "classes":
            return class_scores(labels, predictions, weights)
        if self.kind == "binary":
            return binary_scores(labels, predictions[:, 0], weights, self.thresholds)
        return number_scores(labels, predictions[:, 0], weights)


def _columns(rows: Rows) -> tuple[Numbers, Numbers, Numbers]:
    return rows.labels, rows.predictions, rows.weights
