from __future__ import annotations

from typing import Any

from benchmarks.serving_report import goals, report


def _line(server: str, protocol: str, concurrency: int, rate: float, p50: float) -> dict[str, Any]:
    figures = {"rate": rate, "p50": p50, "p99": 2 * p50, "spread": 0.1}
    return {"server": server, "protocol": protocol, "concurrency": concurrency, **figures, "turns": [figures]}


LINES = [
    _line("direct, session", "", 1, 4000.0, 0.25),
    _line("direct, signature", "", 1, 1000.0, 1.0),
    _line("ours", "grpc", 1, 2000.0, 0.5),
    _line("ours", "grpc", 32, 3000.0, 10.0),
    _line("ours, batching", "grpc", 32, 6600.0, 5.0),
    _line("KServe", "rest", 1, 2000.0, 0.5),
    _line("KServe", "rest", 32, 1100.0, 30.0),
    _line("MLflow", "rest", 32, 550.0, 60.0),
]


def test_goals_are_ratios() -> None:
    assert [measured for _, measured, _ in goals(LINES)] == [0.5, 2.0, None, 6.0, None, 2.2, None]


def test_the_report_has_what_was_measured() -> None:
    swaps = {
        "swaps": 7,
        "seconds": 4.0,
        "loads": {"grpc": {"requests": 10, "failed": 0, "wrong": 1, "versions": 3}},
    }
    result = {"lines": LINES, "seconds": 5.0, "versions": {"grpcio": "1.65"}, "machine": {"cores": 2}, "swaps": swaps}
    lines = [[cell.strip() for cell in line.split("|")[1:-1]] for line in report(result).splitlines() if "|" in line]
    assert ["ours", "grpc", "32", "3000.0", "10.0", "20.0", "0.100"] in lines
    assert ["grpc", "10", "0", "1", "3"] in lines
    assert "requests/s" not in report({"swaps": swaps})
