from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.comparison import compare, summary
from benchmarks.side import Side
from schemas.errors import SettingsError

ROOT = Path(__file__).resolve().parents[3]

_STOCK = [
    Side(30.0, 40.0, 1000.0, 0.55, {"ExampleGen": 4.0, "Trainer": 8.0}),
    Side(34.0, 42.0, 1200.0, 0.57, {"ExampleGen": 6.0, "Trainer": 8.0}),
    Side(90.0, 41.0, 1100.0, 0.56, {"ExampleGen": 5.0, "Trainer": 8.0}),
]
_OURS = [
    Side(17.0, 20.0, 800.0, 0.95, {"ExampleGen": 0.5, "AnomalyGate": 0.1}),
    Side(16.0, 22.0, 900.0, 0.95, {"ExampleGen": 0.5, "AnomalyGate": 0.3}),
    Side(40.0, 21.0, 850.0, 0.95, {"ExampleGen": 0.5, "AnomalyGate": 0.2}),
]


def test_medians() -> None:
    result = summary(15_002, _STOCK, _OURS)

    assert {key: value for key, value in result.items() if key != "runs"} == {
        "rows": 15_002,
        "stock_seconds": 34.0,
        "ours_seconds": 17.0,
        "ratio": 2.0,
        "stock_cpu_seconds": 41.0,
        "ours_cpu_seconds": 21.0,
        "stock_auc": 0.56,
        "ours_auc": 0.95,
        "stock_peak_mb": 1100.0,
        "ours_peak_mb": 850.0,
        "per_node": {
            "stock": {"ExampleGen": 5.0, "Trainer": 8.0},
            "ours": {"ExampleGen": 0.5, "AnomalyGate": 0.2},
        },
    }


def test_every_run_is_kept() -> None:
    assert [run["seconds"] for run in summary(15_002, _STOCK, _OURS)["runs"]["ours"]] == [17.0, 16.0, 40.0]


def test_settings_without_a_binary_label_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="compared by AUC") as caught:
        compare(tmp_path, 1000, config=ROOT / "configs" / "taxi_fare.yaml")
    assert caught.value.received == "numeric"
