"""Results of the pipeline benchmark, made up: stock is linear in the rows but for 10 s, ours grows with their root."""

from __future__ import annotations

from typing import Any


def made_result(rows: int, **more: Any) -> dict[str, Any]:
    stock, ours = {"ExampleGen": rows / 1000, "Trainer": 5.0}, {"ExampleGen": rows / 20_000, "AnomalyGate": 0.25}
    return {
        "rows": rows,
        "stock_seconds": 10 + rows / 1000,
        "ours_seconds": (rows / 100) ** 0.5,
        "ratio": (10 + rows / 1000) / (rows / 100) ** 0.5,
        "stock_cpu_seconds": 40.0,
        "ours_cpu_seconds": 10.0,
        "stock_auc": 0.55,
        "ours_auc": 0.95,
        "stock_peak_mb": 1000.0,
        "ours_peak_mb": 500.0,
        "per_node": {"stock": stock, "ours": ours},
        "runs": {"stock": [{}], "ours": [{}]},
        "steps": 195,
        "seed": 42,
        "warm": False,
        "machine": {
            "cores": 2,
            "memory_gb": 15.6,
            "platform": "Linux",
            "python": "3.10.16",
            "versions": {"tfx": "1.16.0"},
            "load": 0.1,
        },
        "checks": [{"what": "rows, train", "stock": "10", "ours": "10", "holds": True}],
        **more,
    }
