"""Metrics of predictions against hand-computed numbers and against their definitions."""

from __future__ import annotations

import math

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from components.evaluator.scores import Column, binary_scores, class_scores, number_scores
from schemas.errors import EvaluationError


def column(*values: float) -> Column:
    return np.array(values, np.float64)


LABELS = column(1, 0, 1, 0)
PREDICTIONS = column(0.9, 0.6, 0.4, 0.1)
ONES = np.ones(4)


@pytest.mark.parametrize(
    ("metric", "expected"),
    [
        # Of the four pairs (positive, negative) three are in order: 0.9 > 0.6, 0.9 > 0.1, 0.4 > 0.1.
        ("auc", 3 / 4),
        # Recall grows by a half at 0.9 (precision 1) and at 0.4 (precision 2/3).
        ("auc_precision_recall", (1 + 2 / 3) / 2),
        ("accuracy", 1 / 2),
        ("precision", 1 / 2),
        ("recall", 1 / 2),
        ("loss", -(math.log(0.9) + math.log(0.4) + math.log(0.4) + math.log(0.9)) / 4),
        ("mean_label", 1 / 2),
        ("mean_prediction", 1 / 2),
        ("calibration", 1.0),
    ],
)
def test_binary_by_hand(metric: str, expected: float) -> None:
    assert binary_scores(LABELS, PREDICTIONS, ONES, ())[metric] == pytest.approx(expected)


def test_confusion_matrix_by_hand() -> None:
    scores = binary_scores(LABELS, PREDICTIONS, column(1, 2, 3, 4), (0.5, 0.95))
    assert scores["confusion_matrix"] == {
        0.5: {"true_positives": 1, "false_positives": 2, "true_negatives": 4, "false_negatives": 3},
        0.95: {"true_positives": 0, "false_positives": 0, "true_negatives": 6, "false_negatives": 4},
    }


def test_a_prediction_on_the_threshold_counts_as_no() -> None:
    assert binary_scores(column(1.0), column(0.5), column(1.0), ())["recall"] == 0.0


def test_a_weight_counts_as_so_many_rows() -> None:
    weighted = binary_scores(LABELS, PREDICTIONS, column(1, 2, 3, 1), (0.5,))
    rows = [0, 1, 1, 2, 2, 2, 3]
    repeated = binary_scores(LABELS[rows], PREDICTIONS[rows], np.ones(7), (0.5,))
    assert weighted.pop("confusion_matrix") == repeated.pop("confusion_matrix")
    assert weighted == pytest.approx(repeated)


@pytest.mark.parametrize("metric", ["auc", "auc_precision_recall", "recall", "calibration"])
def test_what_needs_a_positive_is_undefined_without_one(metric: str) -> None:
    assert math.isnan(binary_scores(column(0, 0), column(0.2, 0.7), np.ones(2), ())[metric])  # type: ignore[arg-type]


def test_auc_is_undefined_without_a_negative() -> None:
    assert math.isnan(binary_scores(column(1, 1), column(0.2, 0.7), np.ones(2), ())["auc"])  # type: ignore[arg-type]


def test_precision_is_undefined_where_nothing_is_predicted() -> None:
    assert math.isnan(binary_scores(LABELS, PREDICTIONS / 10, ONES, ())["precision"])  # type: ignore[arg-type]


def test_a_prediction_that_is_not_a_number_leaves_no_auc() -> None:
    predictions = column(0.9, math.nan, 0.4, 0.1)
    assert math.isnan(binary_scores(LABELS, predictions, ONES, ())["auc"])  # type: ignore[arg-type]


def test_a_certain_mistake_costs_a_finite_loss() -> None:
    assert binary_scores(column(1, 0), column(0, 1), np.ones(2), ())["loss"] == pytest.approx(-math.log(1e-7))


@given(
    st.lists(st.tuples(st.sampled_from([0, 1]), st.sampled_from([0.0, 0.1, 0.3, 0.5, 0.8, 1.0])), min_size=2).filter(
        lambda rows: {label for label, _ in rows} == {0, 1}
    )
)
def test_auc_is_the_share_of_ordered_pairs_with_ties_counted_half(rows: list[tuple[int, float]]) -> None:
    pairs = [(p, n) for label, p in rows if label for other, n in rows if not other]
    share = sum(1.0 if p > n else 0.5 if p == n else 0.0 for p, n in pairs) / len(pairs)
    labels, predictions = column(*(r[0] for r in rows)), column(*(r[1] for r in rows))
    assert binary_scores(labels, predictions, np.ones(len(rows)), ())["auc"] == pytest.approx(share)


CLASS_PREDICTIONS = np.array([[0.7, 0.2, 0.1], [0.1, 0.6, 0.3], [0.5, 0.3, 0.2], [0.2, 0.7, 0.1]])


@pytest.mark.parametrize(
    ("metric", "expected"),
    [
        # Predicted: 0, 1, 0, 1; true: 0, 1, 1, 2.
        ("accuracy", 1 / 2),
        # Precision of the predicted classes 0 and 1: 1/2 each. Recall of 0, 1, 2: 1, 1/2, 0.
        ("precision", 1 / 2),
        ("recall", 1 / 2),
        ("loss", -(math.log(0.7) + math.log(0.6) + math.log(0.3) + math.log(0.1)) / 4),
    ],
)
def test_classes_by_hand(metric: str, expected: float) -> None:
    assert class_scores(column(0, 1, 1, 2), CLASS_PREDICTIONS, ONES)[metric] == pytest.approx(expected)


def test_confusion_matrix_of_classes_has_labels_in_rows() -> None:
    matrix = class_scores(column(0, 1, 1, 2), CLASS_PREDICTIONS, ONES)["confusion_matrix"]
    np.testing.assert_array_equal(matrix, [[1, 0, 0], [1, 1, 0], [0, 1, 0]])  # type: ignore[arg-type]


def test_a_class_that_the_model_does_not_know_is_named() -> None:
    with pytest.raises(EvaluationError, match=r"hold the class 3; the model predicts the classes 0 to 2"):
        class_scores(column(0, 3, 1, 2), CLASS_PREDICTIONS, ONES)


@pytest.mark.parametrize(
    ("metric", "expected"),
    [
        ("mean_squared_error", (1 + 4) / 2),
        ("loss", (1 + 4) / 2),
        ("mean_absolute_error", 3 / 2),
        ("mean_label", 3.0),
        ("mean_prediction", 3.5),
        ("calibration", 3.5 / 3),
    ],
)
def test_numbers_by_hand(metric: str, expected: float) -> None:
    assert number_scores(column(2, 4), column(1, 6), np.ones(2))[metric] == pytest.approx(expected)
