"""Settings of the evaluation: what decides whether a model is blessed."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from configs.section import Section
from schemas.errors import PlacedValueError


class ValueThreshold(Section):
    """Bounds that a metric must keep to on every run."""

    lower: float | None = None
    upper: float | None = None

    @model_validator(mode="after")
    def _bounded(self) -> ValueThreshold:
        if self.lower is None and self.upper is None:
            raise ValueError("give lower, upper or both")
        if self.lower is not None and self.upper is not None and self.lower > self.upper:
            raise ValueError("lower is above upper: no value could pass")
        return self


class ChangeThreshold(Section):
    """How much worse than the latest blessed model's a metric may be; where both are given, both must hold.

    Worse is lower for auc, accuracy, precision and recall, and higher for loss and the errors; the other metrics have
    no better side, and take value thresholds only.
    """

    absolute: float | None = Field(
        None, ge=0.0, description="The metric may be worse than the baseline's by at most this; 0: not worse at all."
    )
    relative: float | None = Field(None, ge=0.0, description="The same as a fraction of the baseline's value.")

    @model_validator(mode="after")
    def _bounded(self) -> ChangeThreshold:
        if self.absolute is None and self.relative is None:
            raise ValueError("give absolute, relative or both")
        return self


MetricName = Literal[
    "auc", "auc_precision_recall", "accuracy", "precision", "recall", "loss", "calibration",
    "mean_label", "mean_prediction", "confusion_matrix", "mean_squared_error", "mean_absolute_error",
]  # fmt: skip
_FRACTIONS: frozenset[MetricName] = frozenset({"auc", "auc_precision_recall", "accuracy", "precision", "recall"})
_ERRORS: frozenset[MetricName] = frozenset({"loss", "mean_squared_error", "mean_absolute_error"})


class Evaluation(Section):
    """What decides whether a model is blessed."""

    metrics: tuple[MetricName, ...] | None = Field(
        None,
        description="Default: by the label; auc, accuracy, precision, recall, loss, calibration, ... for yes/no.",
    )
    confusion_thresholds: tuple[Annotated[float, Field(ge=0.0, le=1.0)], ...] = (0.25, 0.5, 0.75)
    thresholds: dict[MetricName, ValueThreshold] = {}
    change_thresholds: dict[MetricName, ChangeThreshold] = {}
    slices: tuple[tuple[str, ...], ...] = Field((), description="Raw columns to slice by, each entry one combination.")
    split: str = Field("eval", description="Split on which the model is judged, e.g. a third one, test.")
    baseline: bool = Field(True, description="Compare with the latest blessed model when there is one.")

    @model_validator(mode="after")
    def _reachable(self) -> Evaluation:
        for name, threshold in self.thresholds.items():
            for side, bound in (("lower", threshold.lower), ("upper", threshold.upper)):
                place = ("thresholds", name, side)
                if bound is not None and name in _FRACTIONS and not 0.0 <= bound <= 1.0:
                    raise PlacedValueError(f"must be within 0 and 1, as every {name} is", place)
                if side == "upper" and bound is not None and name in _ERRORS and bound < 0.0:
                    raise PlacedValueError(f"must not be negative: no {name} could pass", place)
        return self

    @model_validator(mode="after")
    def _distinct_slices(self) -> Evaluation:
        for place, columns in enumerate(self.slices):
            if not columns or len(set(columns)) < len(columns):
                raise PlacedValueError("must list one or more different columns", ("slices", place))
            if set(columns) in map(set, self.slices[:place]):
                raise PlacedValueError("is the same combination as an earlier one", ("slices", place))
        return self

    @model_validator(mode="after")
    def _has_threshold(self) -> Evaluation:
        if not self.thresholds and not self.change_thresholds:
            raise ValueError(
                "has no threshold, so the evaluator could neither bless nor refuse a model; "
                "set thresholds or change_thresholds, e.g. thresholds: {auc: {lower: 0.6}}"
            )
        return self
