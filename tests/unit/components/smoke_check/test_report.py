"""Which limits a model was above."""

from __future__ import annotations

from components.smoke_check.report import Latency, Report

LATENCY = {
    "gRPC": Latency(p50=1.0, p99=12.0, requests=100),
    "REST": Latency(p50=2.0, p99=15.0, requests=100),
}


def test_what_was_measured_above_limits_is_the_largest_of_both_protocols() -> None:
    report = Report(
        faults=("gRPC is slow", "REST is slow", "memory"),
        latency_ms=LATENCY,
        max_latency_ms=10.0,
        peak_memory_mib=300.5,
        max_memory_mib=300,
    )
    assert report.exceeded() == {"max_latency_ms": 15.0, "max_memory_mib": 300.5}
    assert report.model_copy(
        update={"faults": ("REST is slow",), "max_latency_ms": 12.0, "max_memory_mib": None}
    ).exceeded() == {"max_latency_ms": 15.0}


def test_a_higher_limit_is_no_remedy_where_something_else_is_wrong() -> None:
    faults = ("gRPC is slow", "REST is slow", "not what the Trainer's model predicts")
    assert Report(faults=faults, latency_ms=LATENCY, max_latency_ms=10.0).exceeded() == {}
    assert Report(latency_ms=LATENCY).exceeded() == {}
