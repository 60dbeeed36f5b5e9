from __future__ import annotations

from serving.server.run_metrics import EXAMPLE_BOUNDS, RunMetrics


def test_times_and_examples_are_counted_by_bounds() -> None:
    runs = RunMetrics()
    for seconds in (5e-6, 15e-6, 1e6):
        runs.took("taxi", "Predict", seconds)
    runs.took("taxi", "Regress", 0.0)
    for count in (1, 2, 3, 16_384, 16_385):
        runs.examples("taxi", count)
    # Bounds are 10, 18, 32.4 ... microseconds; the last bucket is for what took longer than all.
    latency = runs.latencies()["taxi", "Predict"]
    assert latency.buckets == [1, 1, *[0] * 31, 1]
    assert round(latency.total) == 1_000_000_000_020
    assert sum(runs.latencies()["taxi", "Regress"].buckets) == 1
    assert (EXAMPLE_BOUNDS[:4], EXAMPLE_BOUNDS[-1]) == ((1, 2, 4, 8), 16_384)
    counts = runs.example_counts()["taxi"]
    assert counts.buckets == [1, 1, 1, *[0] * 11, 1, 1]
    assert counts.total == 32_775
