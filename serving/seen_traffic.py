"""What was seen of the requests to one version, as counts that can be added up and sent."""

from __future__ import annotations

import bisect
from collections.abc import Mapping
from typing import Any

import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field

from serving.canary import LATENCY_BOUNDS, Predictions, Traffic
from serving.prediction_sketch import PredictionSketch, sketch_bins

_MOST_OUTPUTS = 100


class SeenTraffic(BaseModel):
    """Requests to one version.

    Attributes:
        requests: how many.
        errors: how many of them failed.
        seconds: that those which were answered took, all together.
        latencies: of those that were answered, by the buckets of LATENCY_BOUNDS and one more.
        predictions: values by `signature/output`, of at most 100 of them.
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

    def answered(self, seconds: float, outputs: Mapping[tuple[str, str], npt.NDArray[Any]]) -> None:
        """Counts a request that was answered.

        Args:
            seconds: that it took.
            outputs: the answer, by signature and output.
        """
        self.requests += 1
        self.seconds += seconds
        self.latencies[bisect.bisect_left(LATENCY_BOUNDS, seconds)] += 1
        for (signature, output), values in list(outputs.items())[:_MOST_OUTPUTS]:
            self._predictions(f"{signature}/{output}").add(values)

    def merge(self, other: SeenTraffic) -> None:
        """Adds what another one has counted."""
        self.requests += other.requests
        self.errors += other.errors
        self.seconds += other.seconds
        self.latencies = [mine + theirs for mine, theirs in zip(self.latencies, other.latencies, strict=True)]
        for name, sketch in other.predictions.items():
            self._predictions(name).merge(sketch)

    def copied(self, *, predictions: bool = True) -> SeenTraffic:
        """The same counts, which stay.

        Args:
            predictions: whether they are wanted, which are many.
        """
        sketches = {name: one.copied() for name, one in self.predictions.items()} if predictions else {}
        return self.model_copy(update={"latencies": list(self.latencies), "predictions": sketches})

    def _predictions(self, name: str) -> PredictionSketch:
        """What is kept of an output: nothing of those beyond the hundredth."""
        if name not in self.predictions and len(self.predictions) >= _MOST_OUTPUTS:
            return PredictionSketch()
        return self.predictions.setdefault(name, PredictionSketch())


def compared(stable: SeenTraffic, canary: SeenTraffic) -> tuple[Traffic, Traffic]:
    """Both as the rules compare them, with predictions in common bins."""
    counts: tuple[dict[str, Predictions], dict[str, Predictions]] = ({}, {})
    outputs = {*stable.predictions, *canary.predictions}
    if max(len(stable.predictions), len(canary.predictions)) >= _MOST_OUTPUTS:  # of the others it depends on the order
        outputs = stable.predictions.keys() & canary.predictions.keys()
    for name in outputs:
        sketches = [one.predictions.get(name, PredictionSketch()) for one in (stable, canary)]
        for found, sketch, bins in zip(counts, sketches, sketch_bins(*sketches), strict=True):
            found[name] = Predictions(sketch.answers, tuple(bins))
    return (
        Traffic(stable.requests, stable.errors, tuple(stable.latencies), counts[0]),
        Traffic(canary.requests, canary.errors, tuple(canary.latencies), counts[1]),
    )
