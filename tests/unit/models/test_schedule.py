from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from configs.training import Schedule
from models.schedule import LearningRate


@pytest.mark.parametrize(
    ("settings", "values"),
    [
        ({"kind": "constant", "warmup_steps": 4}, {0: 0.5, 1: 1.0, 3: 2.0, 4: 2.0, 99: 2.0}),
        ({"kind": "linear", "decay_steps": 10}, {0: 2.0, 5: 1.0, 10: 0.0, 20: 0.0}),
        ({"kind": "linear", "decay_steps": 10, "final": 0.5}, {5: 1.5, 10: 1.0, 20: 1.0}),
        ({"kind": "linear", "decay_steps": 10, "warmup_steps": 2}, {0: 1.0, 1: 2.0, 2: 2.0, 7: 1.0}),
        ({"kind": "cosine", "decay_steps": 10}, {0: 2.0, 5: 1.0, 10: 0.0, 11: 0.0}),
        ({"kind": "exponential", "decay_steps": 5, "decay_rate": 0.5}, {0: 2.0, 5: 1.0, 10: 0.5}),
        ({"kind": "exponential", "decay_steps": 5, "decay_rate": 0.5, "final": 0.4}, {5: 1.0, 50: 0.8}),
    ],
)
def test_hand_computed_values(settings: dict[str, object], values: dict[int, float]) -> None:
    schedule = LearningRate(2.0, Schedule.model_validate(settings), total_steps=1000)
    assert {step: float(schedule(step)) for step in values} == pytest.approx(values, abs=1e-6)


def test_decay_takes_what_warm_up_leaves() -> None:
    schedule = LearningRate(1.0, Schedule(kind="linear", warmup_steps=20), total_steps=120)
    assert float(schedule(70)) == pytest.approx(0.5)


@given(
    kind=st.sampled_from(["constant", "cosine", "exponential", "linear"]),
    warmup=st.integers(0, 50),
    final=st.floats(0, 1),
    step=st.integers(0, 10_000),
)
def test_it_is_never_above_the_peak_nor_negative(kind: str, warmup: int, final: float, step: int) -> None:
    settings = Schedule.model_validate({"kind": kind, "warmup_steps": warmup, "final": final})
    assert 0.0 <= float(LearningRate(1.0, settings, total_steps=500)(step)) <= 1.0 + 1e-6
