"""Verdicts from hand-made TFMA validations."""

from __future__ import annotations

from typing import Any

import pytest
import tensorflow_model_analysis as tfma
from google.protobuf import text_format
from tensorflow_model_analysis.proto import validation_result_pb2

from components.evaluator.verdict import verdict
from serving.blessing import Failure

METRICS = {"Overall": {"auc": 0.85, "loss": 0.4, "recall": None}}
CONFIG = text_format.Parse(
    """
    metrics_specs {
      per_slice_thresholds { key: "auc" value { thresholds { slicing_specs {} threshold {
        value_threshold { lower_bound { value: 0.9 } } change_threshold { absolute { value: -0.01 } } } } } }
      per_slice_thresholds { key: "loss" value { thresholds { slicing_specs {} threshold {
        value_threshold { upper_bound { value: 0.3 } } } } } }
    }
    """,
    tfma.EvalConfig(),
)
PASSED = validation_result_pb2.ValidationResult(validation_ok=True)


def failed(*failures: str) -> Any:
    text = "metric_validations_per_slice { " + " ".join(f"failures {{ {failure} }}" for failure in failures) + " }"
    return text_format.Parse(text, validation_result_pb2.ValidationResult())


AUC_TOO_LOW = (
    'metric_key { name: "auc" } metric_value { double_value { value: 0.85 } } '
    "metric_threshold { value_threshold { lower_bound { value: 0.9 } } }"
)


def test_thresholds_that_hold_bless_without_a_reason() -> None:
    blessing = verdict(PASSED, CONFIG, METRICS, baseline="models/3", force="")
    assert (blessing.blessed, blessing.forced, blessing.baseline) == (True, None, "models/3")
    assert blessing.failures == ()


def test_a_failure_refuses_and_says_what_was_asked_for() -> None:
    blessing = verdict(failed(AUC_TOO_LOW), CONFIG, METRICS, baseline=None, force="")
    assert not blessing.blessed
    assert blessing.failures == (Failure(slice="Overall", metric="auc", value=0.85, bound="must be at least 0.9"),)


@pytest.mark.parametrize(
    ("threshold", "bound"),
    [
        ("value_threshold { upper_bound { value: 0.3 } }", "must be at most 0.3"),
        (
            "value_threshold { lower_bound { value: 0.1 } upper_bound { value: 0.3 } }",
            "must be at least 0.1 and must be at most 0.3",
        ),
        (
            "change_threshold { direction: HIGHER_IS_BETTER absolute { value: -0.01 } }",
            "-0.05 from the baseline; may be worse by at most 0.01",
        ),
        (
            "change_threshold { direction: LOWER_IS_BETTER absolute { value: 0 } relative { value: 0.02 } }",
            "-0.05 from the baseline; may be worse by at most 0 and by at most 2% of the baseline's value",
        ),
    ],
)
def test_bounds_in_words(threshold: str, bound: str) -> None:
    failure = (
        'metric_key { name: "loss" } metric_value { double_value { value: -0.05 } } '
        f"metric_threshold {{ {threshold} }}"
    )
    (found,) = verdict(failed(failure), CONFIG, METRICS, baseline="models/3", force="").failures
    assert found == Failure(slice="Overall", metric="loss", value=0.4, bound=bound)


def test_a_metric_that_is_not_a_number_fails_without_a_value() -> None:
    failure = (
        'metric_key { name: "recall" } metric_value { double_value { value: nan } } '
        "metric_threshold { value_threshold { lower_bound { value: 0.1 } } }"
    )
    (found,) = verdict(failed(failure), CONFIG, METRICS, baseline=None, force="").failures
    assert found.value is None


def test_force_blesses_and_keeps_the_failures() -> None:
    blessing = verdict(failed(AUC_TOO_LOW), CONFIG, METRICS, baseline=None, force="the old one is down")
    assert (blessing.blessed, blessing.forced) == (True, "the old one is down")
    assert len(blessing.failures) == 1


def test_force_that_was_not_needed_is_not_recorded() -> None:
    assert verdict(PASSED, CONFIG, METRICS, baseline=None, force="just in case").forced is None


def test_without_a_baseline_the_change_thresholds_are_named_as_unchecked() -> None:
    assert verdict(PASSED, CONFIG, METRICS, baseline=None, force="").unchecked == ("auc",)


def test_with_a_baseline_nothing_is_unchecked() -> None:
    assert verdict(PASSED, CONFIG, METRICS, baseline="models/3", force="").unchecked == ()


def test_a_first_model_with_change_thresholds_only_is_blessed() -> None:
    blessing = verdict(None, CONFIG, METRICS, baseline=None, force="")
    assert (blessing.blessed, blessing.forced, blessing.unchecked) == (True, None, ("auc",))
