"""How many requests were answered, how, and how long that took."""

from __future__ import annotations

import bisect
import threading
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

import grpc

from serving.server.refused_handshakes import RefusedHandshakes

# Whoever asks chooses the names of models that there are not: so many are counted, and no longer ones.
_MOST_COUNTS = 10_000
_LONGEST_NAME = 256

# As TensorFlow Serving: 10 microseconds, and each bound 1.8 times the one before.
BOUNDS = tuple(10 * 1.8**power for power in range(33))


@dataclass
class Latency:
    """Times of requests, in microseconds.

    Attributes:
        buckets: how many took at most each of `BOUNDS` and more than the one before it; the last: longer than all.
        total: the sum of all.
    """

    buckets: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS) + 1))
    total: float = 0.0


class Metrics:
    """Counts requests; safe to use from any thread.

    What REST shows at `/monitoring/prometheus/metrics`: `:tensorflow:serving:request_count{model_name,status}` from
    `counts` and `:tensorflow:serving:request_latency{model_name,API,entrypoint}` from `latencies`.

    Args:
        names: gives the models that there are, which are counted however many others were asked for.

    Attributes:
        refused: connections of REST that TLS did not come about on.
    """

    def __init__(self, names: Callable[[], Collection[str]] = tuple) -> None:
        self.refused = RefusedHandshakes()
        self._names = names
        self._lock = threading.Lock()
        self._counts: dict[tuple[str, str], int] = {}
        self._latencies: dict[tuple[str, str, str], Latency] = {}

    def record(self, model_name: str, code: grpc.StatusCode, *, api: str, entrypoint: str, seconds: float) -> None:
        """Counts one request that was answered, also for a model that there is not, as TensorFlow Serving does.

        Args:
            model_name: of the model that was asked for; empty where a path names none.
            code: how it ended.
            api: Predict, Classify or Regress, of REST in small letters, and empty for what it has besides.
            entrypoint: GRPC or REST.
            seconds: how long it took. Only answers that are OK are in `latencies`, as in TensorFlow Serving.
        """
        count = (model_name, code.name)
        # What is counted stays counted: to look needs no lock.
        if count not in self._counts and not self._begins(model_name):
            return
        with self._lock:
            self._counts[count] = self._counts.get(count, 0) + 1
            if code is grpc.StatusCode.OK:
                key = (model_name, api, entrypoint)
                latency = self._latencies.get(key)
                if latency is None:
                    latency = self._latencies[key] = Latency()
                micros = seconds * 1e6
                latency.buckets[bisect.bisect_left(BOUNDS, micros)] += 1
                latency.total += micros

    def _begins(self, model_name: str) -> bool:
        """Whether one that was not counted yet is."""
        few = len(self._counts) < _MOST_COUNTS and len(model_name) <= _LONGEST_NAME
        return few or model_name in self._names()

    def counts(self) -> dict[tuple[str, str], int]:
        """Requests by model name and gRPC's name of the status."""
        with self._lock:
            return dict(self._counts)

    def latencies(self) -> dict[tuple[str, str, str], Latency]:
        """Times by model name, API and entrypoint."""
        with self._lock:
            return {key: Latency(list(one.buckets), one.total) for key, one in self._latencies.items()}
