from __future__ import annotations

import logging

import pytest
import tensorflow as tf

from configs.training import Scaling, Schedule
from models.plan import Plan
from models.scale import UNSCALED, Scale
from models.schedule import LearningRate

PLAN = Plan(batch_size=64, steps_per_epoch=10, epochs=4, steps=40, steps_per_execution=1, replicas=4)


def test_linear(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        scale = Scale.of(Scaling(learning_rate="linear", warmup_epochs=1), PLAN)
    assert scale == Scale(factor=4.0, warmup_steps=10)
    assert "scaled by 4 (linear, 4 replicas) after a warm-up of 10 steps" in caplog.text
    # 1 at first, 4 after 10 steps: 0.3 more each step.
    assert [float(scale.at(tf.constant(float(step)))) for step in (0, 5, 10, 11)] == pytest.approx([1.0, 2.5, 4.0, 4.0])


def test_square_root_at_once() -> None:
    scale = Scale.of(Scaling(learning_rate="square_root", warmup_epochs=0), PLAN)
    assert scale == Scale(factor=2.0, warmup_steps=0)
    assert float(scale.at(tf.constant(0.0))) == 2.0


def test_the_warm_up_takes_half_of_the_training_at_most() -> None:
    assert Scale.of(Scaling(learning_rate="linear"), PLAN).warmup_steps == 20


@pytest.mark.parametrize(("rule", "replicas"), [("none", 4), ("linear", 1)])
def test_nothing_to_scale(rule: str, replicas: int) -> None:
    plan = Plan(64, 10, 4, 40, 1, replicas)
    assert Scale.of(Scaling.model_validate({"learning_rate": rule}), plan) == UNSCALED


def test_with_a_schedule() -> None:
    rate = LearningRate(0.1, Schedule(kind="linear", decay_steps=20), 20, Scale(factor=4.0, warmup_steps=10))
    # Half of the peak is left at step 10, times 4; a quarter at step 15; and at step 5 three quarters, times 2.5.
    assert [float(rate(tf.constant(step))) for step in (0, 5, 10, 15)] == pytest.approx([0.1, 0.1875, 0.2, 0.1])
