"""Metrics of predictions, computed on whole columns.

Every function takes labels, predictions and weights of the rows of one slice and returns plain numbers by metric; what
is not defined on these rows (the AUC of one class, the precision where nothing is predicted) is NaN.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from schemas.errors import EvaluationError

Column = npt.NDArray[np.float64]
Confusion = dict[float, dict[str, float]]
"""Weighted rows by threshold: true_positives, false_positives, true_negatives, false_negatives."""
Score: TypeAlias = "float | Confusion | Column"

_EPSILON = 1e-7
"""Probabilities are kept this far from 0 and 1 in the loss, as Keras does in float32."""


def binary_scores(
    labels: Column, predictions: Column, weights: Column, thresholds: Sequence[float]
) -> dict[str, Score]:
    """Metrics of P(yes).

    Args:
        labels: 0 or 1, [rows].
        predictions: probabilities, [rows].
        weights: [rows].
        thresholds: of the confusion matrices; a prediction above the threshold counts as yes.

    Returns:
        auc: area under the ROC curve, by the trapezoidal rule: the chance that a positive is ranked above a negative.
        auc_precision_recall: average precision, the sum of precision times the growth of recall over all thresholds.
        accuracy, precision, recall: at 0.5.
        loss: cross-entropy; calibration: mean prediction / mean label; mean_label; mean_prediction; confusion_matrix.
    """
    half = _confusion(labels, predictions, weights, 0.5)
    probabilities = np.clip(predictions, _EPSILON, 1 - _EPSILON)
    losses = -(labels * np.log(probabilities) + (1 - labels) * np.log1p(-probabilities))
    roc, average_precision = _areas(labels, predictions, weights)
    return {
        "auc": roc,
        "auc_precision_recall": average_precision,
        "accuracy": _ratio(half["true_positives"] + half["true_negatives"], weights.sum()),
        "precision": _ratio(half["true_positives"], half["true_positives"] + half["false_positives"]),
        "recall": _ratio(half["true_positives"], half["true_positives"] + half["false_negatives"]),
        "loss": _ratio(losses @ weights, weights.sum()),
        **_means(labels, predictions, weights),
        "confusion_matrix": {t: _confusion(labels, predictions, weights, t) for t in thresholds},
    }


def class_scores(labels: Column, predictions: Column, weights: Column) -> dict[str, Score]:
    """Metrics of P(class).

    Args:
        labels: class numbers, [rows].
        predictions: probabilities, [rows, classes].
        weights: [rows].

    Returns:
        accuracy; loss: cross-entropy; precision and recall: means over the classes that are predicted or occur;
        confusion_matrix: weighted rows by label and predicted class, [classes, classes].

    Raises:
        EvaluationError: a label is not a class that the model predicts.
    """
    classes = predictions.shape[1]
    numbers = labels.astype(np.int64)
    if len(numbers) and not 0 <= numbers.min() <= numbers.max() < classes:
        raise EvaluationError(
            f"The evaluated rows hold the class {numbers[(numbers < 0) | (numbers >= classes)][0]}; the model predicts "
            f"the classes 0 to {classes - 1}.",
            where="label",
            fix="Correct the rows or the classes of the label in the settings.",
        )
    predicted = predictions.argmax(axis=1)
    counts: Column = np.bincount(numbers * classes + predicted, weights, classes * classes).astype(np.float64)
    matrix = counts.reshape(classes, classes)
    hits, occur, chosen = matrix.diagonal(), matrix.sum(axis=1), matrix.sum(axis=0)
    losses = -np.log(np.clip(predictions[np.arange(len(numbers)), numbers], _EPSILON, 1.0))
    return {
        "accuracy": _ratio(hits.sum(), weights.sum()),
        "precision": _mean_ratio(hits, chosen),
        "recall": _mean_ratio(hits, occur),
        "loss": _ratio(losses @ weights, weights.sum()),
        "confusion_matrix": matrix,
    }


def number_scores(labels: Column, predictions: Column, weights: Column) -> dict[str, Score]:
    """Metrics of a predicted number.

    Args:
        labels: [rows].
        predictions: [rows].
        weights: [rows].

    Returns:
        mean_squared_error (which is also the loss), mean_absolute_error, calibration, mean_label and mean_prediction.
    """
    errors = predictions - labels
    squared = _ratio(np.square(errors) @ weights, weights.sum())
    return {
        "mean_squared_error": squared,
        "mean_absolute_error": _ratio(np.abs(errors) @ weights, weights.sum()),
        "loss": squared,
        **_means(labels, predictions, weights),
    }


def _means(labels: Column, predictions: Column, weights: Column) -> dict[str, float]:
    mean_label = _ratio(labels @ weights, weights.sum())
    mean_prediction = _ratio(predictions @ weights, weights.sum())
    return {
        "calibration": _ratio(mean_prediction, mean_label),
        "mean_label": mean_label,
        "mean_prediction": mean_prediction,
    }


def _confusion(labels: Column, predictions: Column, weights: Column, threshold: float) -> dict[str, float]:
    yes = predictions > threshold
    positives, chosen, hits = weights @ labels, weights @ yes, (weights * labels) @ yes
    return {
        "true_positives": float(hits),
        "false_positives": float(chosen - hits),
        "true_negatives": float(weights.sum() - positives - chosen + hits),
        "false_negatives": float(positives - hits),
    }


def _areas(labels: Column, predictions: Column, weights: Column) -> tuple[float, float]:
    """Areas under the ROC curve and the precision-recall curve."""
    order = np.argsort(-predictions, kind="stable")
    ranked = predictions[order]
    # Rows with equal predictions pass a threshold together.
    last = np.append(np.flatnonzero(np.diff(ranked)), len(ranked) - 1)
    hits = np.cumsum((weights * labels)[order])[last]
    false = np.cumsum((weights * (1 - labels))[order])[last]
    if not (hits[-1] > 0 and np.isfinite(predictions).all()):
        return float("nan"), float("nan")
    average_precision = float((np.diff(hits, prepend=0.0) / hits[-1]) @ (hits / (hits + false)))
    if not false[-1] > 0:
        return float("nan"), average_precision
    heights = (hits + np.append(0.0, hits[:-1])) / 2
    return float((np.diff(false, prepend=0.0) / false[-1]) @ (heights / hits[-1])), average_precision


def _ratio(part: Any, whole: Any) -> float:
    return float(part) / float(whole) if whole else float("nan")


def _mean_ratio(parts: Column, wholes: Column) -> float:
    seen = wholes > 0
    return float((parts[seen] / wholes[seen]).mean()) if seen.any() else float("nan")
