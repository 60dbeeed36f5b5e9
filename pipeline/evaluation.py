"""The evaluation of a model as TFMA's EvalConfig, made from the settings."""

from __future__ import annotations

import hashlib
import json
from difflib import get_close_matches

from google.protobuf import json_format
from tensorflow_model_analysis.proto.config_pb2 import EvalConfig

from configs.evaluation import Evaluation, MetricName
from configs.settings import Settings
from schemas.errors import EvaluationError
from schemas.features import BinaryLabel, NumericLabel
from schemas.transformed import LABEL_KEY, PREDICTION_KEY, WEIGHT_KEY

_METRIC_CLASS = "ScoresMetric"
_METRIC_MODULE = "components.evaluator.scores_metric"

_MEANS: tuple[MetricName, ...] = ("calibration", "mean_label", "mean_prediction")
_METRICS: dict[str, tuple[MetricName, ...]] = {
    "binary": (
        *("auc", "auc_precision_recall", "accuracy", "precision", "recall", "loss"),
        *_MEANS,
        "confusion_matrix",
    ),
    "classes": ("accuracy", "loss", "precision", "recall", "confusion_matrix"),
    "number": ("mean_squared_error", "mean_absolute_error", "loss", *_MEANS),
}
"""Metrics that exist, by the kind of prediction; also the default."""
_NOT_NUMBERS = ("confusion_matrix",)
_BETTER_LOWER: tuple[MetricName, ...] = ("loss", "mean_squared_error", "mean_absolute_error")
_BETTER_HIGHER: tuple[MetricName, ...] = ("auc", "auc_precision_recall", "accuracy", "precision", "recall")


def eval_config(settings: Settings) -> EvalConfig:
    """What the Evaluator computes, and on which slices, and what decides whether the model is blessed.

    Thresholds apply to all rows together; change thresholds compare with the latest blessed model of
    the same label.

    Raises:
        EvaluationError: a metric does not exist for this label, a threshold is on a metric that is not computed or is
            no number, a change threshold is on a metric of which neither side is the better one, or change thresholds
            are set while there never is a baseline.
    """
    evaluation = settings.evaluation
    kind = _kind(settings)
    metrics = evaluation.metrics or _METRICS[kind]
    for name in metrics:
        if name not in _METRICS[kind]:
            raise _unknown(
                "evaluation.metrics", name, f"does not exist for a {settings.label.kind} label", _METRICS[kind]
            )
    numbers = tuple(name for name in metrics if name not in _NOT_NUMBERS)
    for section in ("thresholds", "change_thresholds"):
        for name in getattr(evaluation, section):
            if name not in numbers:
                raise _unknown(f"evaluation.{section}", name, "is not computed as a number in this pipeline", numbers)
    for name in evaluation.change_thresholds:
        if name not in (*_BETTER_LOWER, *_BETTER_HIGHER):
            raise EvaluationError(
                f"Neither a higher nor a lower {name} is the better one, so it cannot be worse than the baseline's.",
                where="evaluation.change_thresholds",
                received=name,
                fix=f"Give it bounds instead, e.g. evaluation.thresholds: {{{name}: {{lower: 0.9, upper: 1.1}}}}",
            )
    if evaluation.change_thresholds and not evaluation.baseline:
        raise EvaluationError(
            "Change thresholds compare with the latest blessed model, which these settings switch off.",
            where="evaluation.change_thresholds",
            received="evaluation.baseline: false",
            fix="Set evaluation.baseline: true, or remove change_thresholds.",
        )
    config = {
        "modelSpecs": [
            {
                "signatureName": "serving_default",
                "predictionKey": PREDICTION_KEY,
                "labelKey": LABEL_KEY,
                "exampleWeightKey": WEIGHT_KEY if settings.example_weight else "",
                "preprocessingFunctionNames": ["transform_features"],
            }
        ],
        "slicingSpecs": [{}, *({"featureKeys": list(columns)} for columns in evaluation.slices)],
        "metricsSpecs": [
            {
                "metrics": [
                    {
                        "className": _METRIC_CLASS,
                        "module": _METRIC_MODULE,
                        "config": _metric_config(kind, metrics, settings),
                    }
                ],
                # A threshold without a slice would hold for each slice, however few rows it has.
                "perSliceThresholds": {
                    name: {"thresholds": [{"slicingSpecs": [{}], "threshold": _threshold(evaluation, name)}]}
                    for name in numbers
                    if name in evaluation.thresholds or name in evaluation.change_thresholds
                },
            }
        ],
        "options": {"includeDefaultMetrics": False},
    }
    return json_format.ParseDict(config, EvalConfig())


def label_fingerprint(settings: Settings) -> str:
    """SHA-256, in hex, of what is predicted. Models whose labels differ in it are not compared with each other."""
    return hashlib.sha256(json.dumps(settings.label.model_dump(mode="json"), sort_keys=True).encode()).hexdigest()


def _kind(settings: Settings) -> str:
    if isinstance(settings.label, BinaryLabel):
        return "binary"
    return "number" if isinstance(settings.label, NumericLabel) else "classes"


def _metric_config(kind: str, metrics: tuple[MetricName, ...], settings: Settings) -> str:
    thresholds = settings.evaluation.confusion_thresholds if kind == "binary" else ()
    return json.dumps({"kind": kind, "metrics": list(metrics), "thresholds": list(thresholds)}, sort_keys=True)


def _threshold(evaluation: Evaluation, name: MetricName) -> dict[str, object]:
    value, change = evaluation.thresholds.get(name), evaluation.change_thresholds.get(name)
    threshold: dict[str, object] = {}
    if value is not None:
        threshold["valueThreshold"] = _given(lowerBound=value.lower, upperBound=value.upper)
    if change is not None:
        lower_is_better = name in _BETTER_LOWER
        # TFMA bounds the change itself, candidate minus baseline: what is worse is positive for a loss.
        sign = 1.0 if lower_is_better else -1.0
        threshold["changeThreshold"] = {
            "direction": "LOWER_IS_BETTER" if lower_is_better else "HIGHER_IS_BETTER",
            **_given(absolute=change.absolute, relative=change.relative, sign=sign),
        }
    return threshold


def _given(*, sign: float = 1.0, **bounds: float | None) -> dict[str, float]:
    """The bounds that are given, times a sign; never -0.0."""
    return {name: sign * bound + 0.0 for name, bound in bounds.items() if bound is not None}


def _unknown(where: str, name: str, why: str, known: tuple[str, ...]) -> EvaluationError:
    near = get_close_matches(name, known, n=1)
    hint = f" Did you mean {near[0]}?" if near else ""
    return EvaluationError(
        f"The metric {name!r} {why}.", where=where, received=name, fix=f"Known here: {', '.join(known)}.{hint}"
    )
