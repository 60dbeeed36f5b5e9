from __future__ import annotations

import pytest

from benchmarks.training_scaling import summary


def test_ratios_are_of_numbers_of_one_turn() -> None:
    turns = [
        {"one": 100.0, "two": 180.0, "apart": 200.0, "step_ms": 10.0},
        {"one": 50.0, "two": 80.0, "apart": 100.0, "step_ms": 20.0},
        {"one": 100.0, "two": 190.0, "apart": 200.0, "step_ms": 10.0},
    ]
    found = summary(turns)
    assert found.pop("turns") == turns
    expected = {"one": 100.0, "two": 180.0, "ratio": 1.8, "apart_ratio": 2.0, "exchange_share": 0.1, "step_ms": 10.0}
    assert found == pytest.approx(expected)
