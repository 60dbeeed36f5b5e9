from __future__ import annotations

import grpc

from serving.server.metrics import BOUNDS, Metrics


def test_requests_are_counted_by_how_they_ended_and_timed_when_they_were_answered() -> None:
    metrics = Metrics()
    for seconds in (5e-6, 15e-6, 1e6):
        metrics.record("taxi", grpc.StatusCode.OK, api="Predict", entrypoint="GRPC", seconds=seconds)
    metrics.record("taxi", grpc.StatusCode.NOT_FOUND, api="Predict", entrypoint="GRPC", seconds=1.0)
    metrics.record("fare", grpc.StatusCode.OK, api="Regress", entrypoint="REST", seconds=0.0)
    assert metrics.counts() == {("taxi", "OK"): 3, ("taxi", "NOT_FOUND"): 1, ("fare", "OK"): 1}
    latency = metrics.latencies()["taxi", "Predict", "GRPC"]
    # Bounds are 10, 18, 32.4 ... microseconds; the last bucket is for what took longer than all.
    assert (len(BOUNDS), BOUNDS[:2]) == (33, (10, 18))
    assert latency.buckets == [1, 1, *[0] * 31, 1]
    assert round(latency.total) == 1_000_000_000_020


def test_names_that_strangers_try_do_not_fill_the_memory() -> None:
    metrics = Metrics(lambda: ["taxi"])
    for number in range(10_050):
        metrics.record(f"m{number}", grpc.StatusCode.NOT_FOUND, api="", entrypoint="REST", seconds=0.0)
    metrics.record("x" * 1000, grpc.StatusCode.NOT_FOUND, api="", entrypoint="REST", seconds=0.0)
    metrics.record("m1", grpc.StatusCode.NOT_FOUND, api="", entrypoint="REST", seconds=0.0)
    assert len(metrics.counts()) == 10_000
    assert metrics.counts()["m1", "NOT_FOUND"] == 2
    # What there is, is counted all the same.
    metrics.record("taxi", grpc.StatusCode.INTERNAL, api="Predict", entrypoint="GRPC", seconds=0.0)
    assert metrics.counts()["taxi", "INTERNAL"] == 1
