from __future__ import annotations

from typing import Any

from benchmarks.engines import report


def _run(engine: str, rows: int, seconds: float, node: float, peak: float) -> dict[str, Any]:
    nodes = dict.fromkeys(("ExampleGen", "StatisticsGen", "Transform", "Evaluator"), node)
    return {
        "engine": engine,
        "rows": rows,
        "seconds": seconds,
        "nodes_peak_mb": peak,
        "peak_mb": 2000.0,
        "nodes": nodes,
    }


def test_rows_a_second_ratios_and_growth() -> None:
    text = report(
        {
            "runs": [
                _run("inline", 100, 10.0, 2.0, 500.0),
                _run("flink", 100, 40.0, 10.0, 1000.0),
                _run("inline", 1000, 20.0, 4.0, 600.0),
                _run("flink", 1000, 60.0, 100.0, 1100.0),
            ]
        }
    )
    lines = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines() if line.startswith("|")]
    assert lines[3] == ["flink", "40.0", "4.000", *["10.0"] * 4, "1000.0", "2000.0"]
    assert lines[-2:] == [
        ["inline", "100 to 1,000", "2.000", "0.301", "1.200"],
        ["flink", "100 to 1,000", "10.0", "1.000", "1.100"],
    ]
