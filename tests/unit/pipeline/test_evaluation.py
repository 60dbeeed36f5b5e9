"""TFMA's configuration from settings."""

from __future__ import annotations

import json
from typing import Any

import pytest
import tensorflow_model_analysis as tfma
from google.protobuf import json_format
from pydantic import ValidationError
from tensorflow_model_analysis.evaluators import metrics_validator
from tensorflow_model_analysis.metrics.metric_types import MetricKey

from configs.settings import Settings
from pipeline.evaluation import _METRICS as METRICS
from pipeline.evaluation import eval_config, label_fingerprint
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
    ("name", "given", "expected"),
    [
        ("auc", {"absolute": 0.25}, {"direction": "HIGHER_IS_BETTER", "absolute": -0.25}),
        ("loss", {"absolute": 0.25}, {"direction": "LOWER_IS_BETTER", "absolute": 0.25}),
        (
            "recall",
            {"relative": 0.5, "absolute": 0},
            {"direction": "HIGHER_IS_BETTER", "absolute": 0, "relative": -0.5},
        ),
        ("loss", {"relative": 0.5, "absolute": 0}, {"direction": "LOWER_IS_BETTER", "absolute": 0, "relative": 0.5}),
    ],
)
def test_a_metric_may_be_worse_than_the_baseline_by_so_much(
    name: str, given: dict[str, Any], expected: dict[str, Any]
) -> None:
    found = threshold(eval_config(settings(change_thresholds={name: given})), name)["changeThreshold"]
    assert found == expected
    # Not -0.0.
    assert all(str(value) != "-0.0" for value in found.values())


def verdict_of(name: str, change: dict[str, float], baseline: float, candidate: float) -> bool:
    """TFMA's own validation of two values of a metric."""
    given = eval_config(settings(thresholds={}, change_thresholds={name: change}))
    config = tfma.utils.update_eval_config_with_defaults(given, has_baseline=True)
    names = {
        model: MetricKey(name=name, model_name=model, example_weighted=None)
        for model in (tfma.CANDIDATE_KEY, tfma.BASELINE_KEY)
    }
    metrics = {
        names[tfma.CANDIDATE_KEY]: candidate,
        names[tfma.BASELINE_KEY]: baseline,
        names[tfma.CANDIDATE_KEY].make_diff_key(): candidate - baseline,
    }
    return metrics_validator.validate_metrics(((), metrics), config).validation_ok


@pytest.mark.parametrize(
    ("name", "change", "baseline", "candidate", "passes"),
    [
        ("loss", {"absolute": 0.125}, 0.5, 0.625, True),
        ("loss", {"absolute": 0.125}, 0.5, 0.75, False),
        ("loss", {"absolute": 0.125}, 0.5, 0.0, True),
        ("loss", {"absolute": 0.0}, 0.5, 0.5, True),
        ("loss", {"absolute": 0.0}, 0.5, 0.51, False),
        ("loss", {"relative": 0.25}, 0.5, 0.625, True),
        ("loss", {"relative": 0.25}, 0.5, 0.626, False),
        ("auc", {"absolute": 0.125}, 0.75, 0.625, True),
        ("auc", {"absolute": 0.125}, 0.75, 0.5, False),
        ("auc", {"absolute": 0.125}, 0.75, 1.0, True),
        ("auc", {"absolute": 0.0}, 0.75, 0.75, True),
        ("auc", {"absolute": 0.0}, 0.75, 0.74, False),
        ("auc", {"relative": 0.5}, 0.75, 0.375, True),
        ("auc", {"relative": 0.5}, 0.75, 0.374, False),
        ("auc", {"absolute": 0.5, "relative": 0.125}, 0.75, 0.5, False),
    ],
)
def test_tfma_refuses_what_is_worse_by_more(
    name: str, change: dict[str, float], baseline: float, candidate: float, passes: bool
) -> None:
    assert verdict_of(name, change, baseline, candidate) is passes


NUMBERS = sorted({name for names in METRICS.values() for name in names} - {"confusion_matrix"})


@pytest.mark.parametrize("name", NUMBERS)
def test_each_number_has_a_better_side_or_is_refused(name: str) -> None:
    label = next(
        label
        for label, kind in zip(LABELS, ("binary", "classes", "classes", "number"), strict=True)
        if name in METRICS[kind]
    )
    chosen = settings(label, metrics=[name, "loss"], change_thresholds={name: {"absolute": 0.0}})
    if name in ("calibration", "mean_label", "mean_prediction"):
        with pytest.raises(EvaluationError, match=rf"Neither a higher nor a lower {name} is the better one"):
            eval_config(chosen)
    else:
        direction = threshold(eval_config(chosen), name)["changeThreshold"]["direction"]
        assert direction == ("LOWER_IS_BETTER" if "loss" in name or "error" in name else "HIGHER_IS_BETTER")


@pytest.mark.parametrize("change", [{"absolute": -0.01}, {"relative": -0.01}, {"higher_is_better": True}, {}])
def test_a_change_threshold_is_how_much_worse_and_nothing_else(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        settings(change_thresholds={"loss": change})


def test_a_metric_may_have_both() -> None:
    config = eval_config(settings(change_thresholds={"loss": {"absolute": 0.0}}))
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


def test_labels_have_fingerprints_of_their_own() -> None:
    other = {"kind": "one_hot", "column": "species", "classes": ["b", "a"]}
    prints = [label_fingerprint(settings(label)) for label in (*LABELS, other)]
    assert len(set(prints)) == len(prints)
    assert all(len(found) == 64 for found in prints)


def test_what_is_not_the_label_does_not_change_its_fingerprint() -> None:
    assert label_fingerprint(settings(weight="importance", metrics=["loss"])) == label_fingerprint(settings())
