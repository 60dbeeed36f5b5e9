"""How good predictions are, by scikit-learn's metrics."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.metrics import accuracy_score, log_loss, mean_absolute_error, mean_squared_error, roc_auc_score


@dataclass(frozen=True)
class Scores:
    """Metrics of a binary classifier on one split.

    Attributes:
        auc: area under the ROC curve.
        log_loss: mean negative log-likelihood, natural logarithm.
        accuracy: share of rows on the right side of 0.5.
        calibration: mean prediction / mean label; 1 is perfect.
        mean_prediction: mean of the scores.
        mean_label: share of positive rows.
    """

    auc: float
    log_loss: float
    accuracy: float
    calibration: float
    mean_prediction: float
    mean_label: float


def score(labels: npt.NDArray[np.float64], predictions: npt.NDArray[np.float64]) -> Scores:
    """The metrics of predicted probabilities.

    Args:
        labels: 0.0 or 1.0, [rows].
        predictions: probabilities of 1, [rows].
    """
    return Scores(
        auc=float(roc_auc_score(labels, predictions)),
        log_loss=float(log_loss(labels, predictions)),
        accuracy=float(accuracy_score(labels, predictions > 0.5)),
        calibration=float(predictions.mean() / labels.mean()),
        mean_prediction=float(predictions.mean()),
        mean_label=float(labels.mean()),
    )


def class_score(labels: npt.NDArray[np.float64], predictions: npt.NDArray[np.float64]) -> dict[str, float]:
    """`accuracy` and `log_loss` of predicted classes.

    Args:
        labels: class numbers, [rows].
        predictions: probabilities, [rows, classes].
    """
    classes = list(range(predictions.shape[1]))
    return {
        "accuracy": float(accuracy_score(labels, predictions.argmax(axis=1))),
        "log_loss": float(log_loss(labels, predictions / predictions.sum(axis=1, keepdims=True), labels=classes)),
    }


def number_score(labels: npt.NDArray[np.float64], predictions: npt.NDArray[np.float64]) -> dict[str, float]:
    """`mean_absolute_error`, `root_mean_squared_error` and `calibration` of predicted numbers.

    Args:
        labels: [rows].
        predictions: [rows].
    """
    return {
        "mean_absolute_error": float(mean_absolute_error(labels, predictions)),
        "root_mean_squared_error": float(np.sqrt(mean_squared_error(labels, predictions))),
        "calibration": float(predictions.mean() / labels.mean()),
    }
