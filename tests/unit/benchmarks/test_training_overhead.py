from __future__ import annotations

import pytest

from benchmarks.training_overhead import summary


def test_ratios_are_medians_of_turns() -> None:
    turns = {
        "batch_size": 100,
        "ours": [(0.02, 0.04), (0.04, 0.04), (0.02, 0.04)],
        "bare": [(0.03, 0.05), (0.04, 0.05), (0.04, 0.05)],
        "bare_together": [(0.02, 0.03), (0.02, 0.03), (0.02, 0.03)],
        "input": [(0.002, 0.003), (0.002, 0.003), (0.002, 0.003)],
    }
    found = summary(turns)
    assert {key: value for key, value in found.items() if key not in turns} == pytest.approx(
        {
            "examples_per_second": 5000.0,
            "of_keras_default": 1.5,
            "of_bare_together": 1.0,
            "processor_of_keras_default": 1.25,
            "processor_of_bare_together": 0.75,
            "step_ms": 20.0,
            "input_ms": 2.0,
            "input_processor_ms": 3.0,
            "input_of_step": 0.1,
            "input_of_step_processor": 0.075,
        }
    )
