"""TFMA's validation as the verdict on a model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from components.evaluator.metrics_table import OVERALL, slice_name
from serving.blessing import Blessing, Failure


def verdict(
    validation: Any, config: Any, metrics: Mapping[str, Mapping[str, Any]], *, baseline: str | None, force: str
) -> Blessing:
    """Whether the model is blessed, and why not.

    Args:
        validation: the `tfma.ValidationResult`, or None where there was nothing to check: all thresholds are change
            thresholds, and there is no earlier blessed model. Such a first model is blessed.
        config: the `tfma.EvalConfig` with all thresholds.
        metrics: the candidate's metrics by slice, as `metrics_table` gives them.
        baseline: URI of the model that the candidate was compared with, or None.
        force: a reason for blessing the model although thresholds fail, or empty.
    """
    failures = _failures(validation, metrics) if validation is not None else ()
    passed = validation is None or bool(validation.validation_ok)
    unchecked = () if baseline is not None else _change_thresholds(config)
    return Blessing(
        blessed=passed or bool(force),
        forced=force if force and not passed else None,
        baseline=baseline,
        failures=failures,
        unchecked=unchecked,
    )


def thresholds(config: Any) -> Iterator[tuple[str, Any]]:
    """Metric names and `tfma.MetricThreshold`s of an EvalConfig that `pipeline.evaluation` made."""
    for spec in config.metrics_specs:
        for name, per_slice in spec.per_slice_thresholds.items():
            for one in per_slice.thresholds:
                yield name, one.threshold


def _change_thresholds(config: Any) -> tuple[str, ...]:
    return tuple(sorted({name for name, threshold in thresholds(config) if threshold.HasField("change_threshold")}))


def _failures(validation: Any, metrics: Mapping[str, Mapping[str, Any]]) -> tuple[Failure, ...]:
    found = []
    for part in validation.metric_validations_per_slice:
        name = slice_name(
            (one.column, getattr(one, one.WhichOneof("kind"))) for one in part.slice_key.single_slice_keys
        )
        for failure in part.failures:
            metric = failure.metric_key.name
            found.append(
                Failure(slice=name, metric=metric, value=metrics.get(name, {}).get(metric), bound=_bound(failure))
            )
    for missing in validation.missing_slices:
        name = ", ".join(missing.feature_keys) or OVERALL
        found.append(Failure(slice=name, metric="example_count", value=0.0, bound="must be at least 1"))
    return tuple(sorted(found, key=lambda failure: (failure.slice, failure.metric, failure.bound)))


def _bound(failure: Any) -> str:
    """The threshold in words, as the end of the sentence `auc is 0.8, ...`."""
    threshold = failure.metric_threshold
    if threshold.HasField("value_threshold"):
        value = threshold.value_threshold
        bounds = []
        if value.HasField("lower_bound"):
            bounds.append(f"must be at least {value.lower_bound.value:g}")
        if value.HasField("upper_bound"):
            bounds.append(f"must be at most {value.upper_bound.value:g}")
        return " and ".join(bounds)
    change = threshold.change_threshold
    bounds = []
    if change.HasField("absolute"):
        bounds.append(f"by at most {abs(change.absolute.value):g}")
    if change.HasField("relative"):
        bounds.append(f"by at most {100 * abs(change.relative.value):g}% of the baseline's value")
    difference = failure.metric_value.double_value.value
    return f"{difference:+.4g} from the baseline; may be worse {' and '.join(bounds)}"
