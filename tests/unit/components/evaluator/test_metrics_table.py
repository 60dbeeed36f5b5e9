"""metrics.json from hand-made TFMA results."""

from __future__ import annotations

from typing import Any

import pytest
import tensorflow_model_analysis as tfma

from components.evaluator.metrics_table import metrics_table, slice_name


def result(*slices: tuple[Any, dict[str, Any]]) -> tfma.EvalResult:
    return tfma.EvalResult(
        slicing_metrics=[(key, {"": {"": metrics}}) for key, metrics in slices],
        plots=[],
        attributions=[],
        config=tfma.EvalConfig(),
        data_location="",
        file_format="",
        model_location="",
    )


def test_overall_comes_first_and_slices_by_name() -> None:
    table = metrics_table(
        result(
            ((("payment_type", "Cash"),), {"auc": {"doubleValue": 0.5}}),
            ((), {"auc": {"doubleValue": 0.75}}),
            ((("company", "A"),), {"auc": {"doubleValue": 0.25}}),
        )
    )
    assert list(table.items()) == [
        ("Overall", {"auc": 0.75}),
        ("company:A", {"auc": 0.25}),
        ("payment_type:Cash", {"auc": 0.5}),
    ]


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", float("nan")])
def test_what_is_not_finite_is_null(value: Any) -> None:
    assert metrics_table(result(((), {"auc": {"doubleValue": value}}))) == {"Overall": {"auc": None}}


def test_differences_from_the_baseline_are_left_out() -> None:
    metrics = {"auc": {"doubleValue": 0.5}, "auc_diff": {"doubleValue": 0.1}}
    assert metrics_table(result(((), metrics))) == {"Overall": {"auc": 0.5}}


def test_a_confusion_matrix_is_nested_numbers_and_absent_counts_are_zero() -> None:
    matrices = {"matrices": [{"threshold": 0.5, "truePositives": 3.0, "falseNegatives": 1.0}]}
    table = metrics_table(result(((), {"confusion_matrix": {"confusionMatrixAtThresholds": matrices}})))
    assert table["Overall"]["confusion_matrix"] == {
        "0.5": {"true_positives": 3.0, "false_positives": 0.0, "true_negatives": 0.0, "false_negatives": 1.0}
    }


def test_a_matrix_of_classes_is_rows_of_counts() -> None:
    array = {"dataType": "FLOAT64", "shape": [2, 3], "float64Values": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]}
    table = metrics_table(result(((), {"confusion_matrix": {"arrayValue": array}})))
    assert table["Overall"]["confusion_matrix"] == [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ((), "Overall"),
        ((("payment_type", "Cash"),), "payment_type:Cash"),
        ((("hour", 7), ("company", b"Caf\xc3\xa9")), "company:Café, hour:7"),
    ],
)
def test_names_of_slices(key: Any, name: str) -> None:
    assert slice_name(key) == name
