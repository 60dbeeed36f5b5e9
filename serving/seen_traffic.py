"""What was seen of the requests to one version, as counts that can be added up and sent."""

from __future__ import annotations

import bisect
from collections.abc import Mapping
from typing import Any

import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field

from serving.canary import LATENCY_BOUNDS, Traffic
from serving.prediction_sketch import PredictionSketch, sketch_bins

_MOST_OUTPUTS = 100
_MOST_VALUES = 10_000


class SeenTraffic(BaseModel):
    """Requests to one version.

    Attributes:
        requests: how many.
        errors: how many of them failed.
        seconds: that those which were answered took, all together.
        latencies: of those that were answered, by the buckets of LATENCY_BOUNDS and one more.
        predictions: values by output.
    """

    model_config = ConfigDict(extra="forbid")

    requests: int = 0
    errors: int = 0
    seconds: float = 0.0
    latencies: list[int] = Field(
        default_factory=lambda: [0] * (len(LATENCY_BOUNDS) + 1),
        min_length=len(LATENCY_BOUNDS) + 1,
        max_length=len(LATENCY_BOUNDS) + 1,
    )
    predictions: dict[str, PredictionSketch] = Field(default_factory=dict)

    def failed(self) -> None:
        """Counts a request that failed."""
        self.requests += 1
        self.errors += 1

    def answered(self, seconds: float, outputs: Mapping[str, npt.NDArray[Any]]) -> None:
        """Counts a request that was answered.

        Args:
            seconds: that it took.
            outputs: the answer; of a batch the first 10,000 rows are counted.
        """
        self.requests += 1
        self.seconds += seconds
        self.latencies[bisect.bisect_left(LATENCY_BOUNDS, seconds)] += 1
        for name, values in outputs.items():
            if name in self.predictions or len(self.predictions) < _MOST_OUTPUTS:
                rows = values[:_MOST_VALUES] if values.ndim else values
                self.predictions.setdefault(name, PredictionSketch()).add(rows)

    def merge(self, other: SeenTraffic) -> None:
        """Adds what another one has counted."""
        self.requests += other.requests
        self.errors += other.errors
        self.seconds += other.seconds
        self.latencies = [mine + theirs for mine, theirs in zip(self.latencies, other.latencies, strict=True)]
        for name, sketch in other.predictions.items():
            self.predictions.setdefault(name, PredictionSketch()).merge(sketch)


def compared(stable: SeenTraffic, canary: SeenTraffic) -> tuple[Traffic, Traffic]:
    """Both as the rules compare them, with predictions in common bins."""
    counts: tuple[dict[str, list[int]], dict[str, list[int]]] = ({}, {})
    for name in {*stable.predictions, *canary.predictions}:
        if name in stable.predictions and name in canary.predictions:
            counts[0][name], counts[1][name] = sketch_bins(stable.predictions[name], canary.predictions[name])
        else:  # only one of them has it, which is a rule of its own
            counts[0 if name in stable.predictions else 1][name] = [0]
    return (
        Traffic(stable.requests, stable.errors, tuple(stable.latencies), counts[0]),
        Traffic(canary.requests, canary.errors, tuple(canary.latencies), counts[1]),
    )
