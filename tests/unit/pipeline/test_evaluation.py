"""TFMA's configuration from settings."""

from __future__ import annotations

import json
from typing import Any

import pytest
import tensorflow_model_analysis as tfma
from google.protobuf import json_format

from configs.settings import Settings
from pipeline.evaluation import eval_config
from schemas.errors import EvaluationError

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

BINARY = {"kind": "binary", "expression": "tips > 0.2 * fare"}
LABELS = [
    BINARY,
    {"kind": "integer", "column": "species", "classes": 3},
    {"kind": "one_hot", "column": "species", "classes": ["a", "b"]},
    {"kind": "numeric", "column": "tips"},
]


def settings(label: dict[str, Any] = BINARY, weight: str | None = None, **evaluation: Any) -> Settings:
    return Settings.model_validate(
        {
            "name": "small",
            "output_dir": "unused",
            "data": {"path": "unused"},
            "features": {"miles": {"kind": "numeric"}, "payment_type": {"kind": "categorical"}},
            "label": label,
            "example_weight": weight,
            "evaluation": {"thresholds": {"loss": {"upper": 1.0}}, **evaluation},
        }
    )


def as_dict(config: tfma.EvalConfig) -> dict[str, Any]:
    return json_format.MessageToDict(config)


def metric(config: tfma.EvalConfig) -> dict[str, Any]:
    return json.loads(config.metrics_specs[0].metrics[0].config)


def test_the_model_is_asked_for_predictions_and_its_transform_for_labels() -> None:
    assert as_dict(eval_config(settings()))["modelSpecs"] == [
        {
            "signatureName": "serving_default",
            "predictionKey": "predictions",
            "labelKey": "label_xf",
            "preprocessingFunctionNames": ["transform_features"],
        }
    ]


def test_the_weight_is_named_when_there_is_one() -> None:
    assert eval_config(settings(weight="importance")).model_specs[0].example_weight_key == "example_weight_xf"


@pytest.mark.parametrize(
    ("label", "kind", "some"),
    [
        (LABELS[0], "binary", {"auc", "accuracy", "precision", "recall", "loss", "calibration", "confusion_matrix"}),
        (LABELS[1], "classes", {"accuracy", "loss", "confusion_matrix"}),
        (LABELS[2], "classes", {"accuracy", "loss", "confusion_matrix"}),
        (LABELS[3], "number", {"mean_squared_error", "mean_absolute_error", "calibration"}),
    ],
)
def test_the_label_decides_the_metrics(label: dict[str, Any], kind: str, some: set[str]) -> None:
    chosen = metric(eval_config(settings(label)))
    assert chosen["kind"] == kind
    assert some <= set(chosen["metrics"])


def test_chosen_metrics_replace_the_default() -> None:
    assert metric(eval_config(settings(metrics=["loss", "auc"])))["metrics"] == ["loss", "auc"]


def test_all_rows_are_a_slice_beside_those_of_the_settings() -> None:
    config = eval_config(settings(slices=[["payment_type"], ["payment_type", "miles"]]))
    assert [list(spec.feature_keys) for spec in config.slicing_specs] == [
        [],
        ["payment_type"],
        ["payment_type", "miles"],
    ]


def threshold(config: tfma.EvalConfig, name: str) -> dict[str, Any]:
    (spec,) = as_dict(config)["metricsSpecs"]
    (one,) = spec["perSliceThresholds"][name]["thresholds"]
    # All rows: TFMA would hold each slice to a threshold without one.
    assert one["slicingSpecs"] == [{}]
    return one["threshold"]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"lower": 0.5}, {"lowerBound": 0.5}),
        ({"upper": 0.0}, {"upperBound": 0.0}),
        ({"lower": 0.5, "upper": 0.75}, {"lowerBound": 0.5, "upperBound": 0.75}),
    ],
)
def test_value_thresholds(given: dict[str, float], expected: dict[str, float]) -> None:
    config = eval_config(settings(thresholds={"auc": given}))
    assert threshold(config, "auc") == {"valueThreshold": expected}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"absolute": -0.25}, {"direction": "HIGHER_IS_BETTER", "absolute": -0.25}),
        (
            {"higher_is_better": False, "relative": 0.5, "absolute": 0.0},
            {"direction": "LOWER_IS_BETTER", "absolute": 0.0, "relative": 0.5},
        ),
    ],
)
def test_change_thresholds(given: dict[str, Any], expected: dict[str, Any]) -> None:
    config = eval_config(settings(change_thresholds={"loss": given}))
    assert threshold(config, "loss")["changeThreshold"] == expected


def test_a_metric_may_have_both() -> None:
    config = eval_config(settings(change_thresholds={"loss": {"absolute": 0.0, "higher_is_better": False}}))
    assert threshold(config, "loss").keys() == {"valueThreshold", "changeThreshold"}


@pytest.mark.parametrize("label", LABELS)
def test_tfma_accepts_the_configuration(label: dict[str, Any]) -> None:
    config = tfma.utils.update_eval_config_with_defaults(eval_config(settings(label)), has_baseline=True)
    tfma.utils.verify_eval_config(config)
    assert tfma.metrics.metric_thresholds_from_metrics_specs(config.metrics_specs, eval_config=config)


def test_equal_settings_give_equal_bytes() -> None:
    first, second = (
        eval_config(settings(slices=[["payment_type"]])).SerializeToString(deterministic=True) for _ in range(2)
    )
    assert first == second


@pytest.mark.parametrize("section", ["thresholds", "change_thresholds"])
def test_a_threshold_on_a_metric_that_is_not_computed_names_the_known_ones(section: str) -> None:
    bound = {"lower": 0.5} if section == "thresholds" else {"absolute": 0.0}
    with pytest.raises(EvaluationError, match=rf"(?s)'recall'.*evaluation\.{section}.*Known here: loss, auc\."):
        eval_config(settings(metrics=["loss", "auc"], **{section: {"recall": bound}}))


def test_a_threshold_on_a_confusion_matrix_is_refused() -> None:
    with pytest.raises(EvaluationError, match="not computed as a number"):
        eval_config(settings(thresholds={"confusion_matrix": {"lower": 1.0}}))


def test_a_metric_that_the_label_has_not_is_refused() -> None:
    with pytest.raises(EvaluationError, match="'auc' does not exist for a numeric label"):
        eval_config(settings(LABELS[3], metrics=["auc"]))


def test_change_thresholds_without_a_baseline_are_refused() -> None:
    with pytest.raises(EvaluationError, match=r"evaluation\.baseline: false"):
        eval_config(settings(baseline=False, change_thresholds={"loss": {"absolute": 0.0}}))
