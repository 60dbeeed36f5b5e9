"""How long TensorFlow computed, and how many tf.Examples it was asked about."""

from __future__ import annotations

import bisect
import threading
from dataclasses import dataclass, field

from serving.server.metrics import BOUNDS, Latency

# As TensorFlow Serving: 1, and each bound twice the one before.
EXAMPLE_BOUNDS = tuple(2**power for power in range(15))


@dataclass
class ExampleCounts:
    """Of the requests for one model.

    Attributes:
        buckets: how many requests had at most each of `EXAMPLE_BOUNDS` and more than the one before it; the last: more
            than all.
        total: examples of all requests.
    """

    buckets: list[int] = field(default_factory=lambda: [0] * (len(EXAMPLE_BOUNDS) + 1))
    total: int = 0


class RunMetrics:
    """Of all models, also of versions that are gone; safe to use from any thread.

    What REST shows as `:tensorflow:serving:runtime_latency{model_name,API,runtime}`,
    `:tensorflow:serving:request_example_counts{model}` and `:tensorflow:serving:request_example_count_total{model}`.
    Source: tensorflow_serving/servables/tensorflow/util.cc.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._latencies: dict[tuple[str, str], Latency] = {}
        self._examples: dict[str, ExampleCounts] = {}

    def took(self, model: str, api: str, seconds: float) -> None:
        """Counts one computation that gave its results.

        Args:
            model: its name.
            api: Predict, Classify, Regress or MultiInference.
            seconds: from its inputs to its outputs, and with batching with the time that it waited for others.
        """
        micros = seconds * 1e6
        place = bisect.bisect_left(BOUNDS, micros)
        with self._lock:
            latency = self._latencies.get((model, api))
            if latency is None:
                latency = self._latencies[model, api] = Latency()
            latency.buckets[place] += 1
            latency.total += micros

    def examples(self, model: str, count: int) -> None:
        """Counts the tf.Examples of one request whose computation gave results."""
        with self._lock:
            counts = self._examples.setdefault(model, ExampleCounts())
            counts.buckets[bisect.bisect_left(EXAMPLE_BOUNDS, count)] += 1
            counts.total += count

    def latencies(self) -> dict[tuple[str, str], Latency]:
        """Times by model and API."""
        with self._lock:
            return {key: Latency(list(one.buckets), one.total) for key, one in self._latencies.items()}

    def example_counts(self) -> dict[str, ExampleCounts]:
        """By model."""
        with self._lock:
            return {model: ExampleCounts(list(one.buckets), one.total) for model, one in self._examples.items()}
