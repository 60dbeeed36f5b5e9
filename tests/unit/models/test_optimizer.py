from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from configs.training import Optimizer, Schedule
from models.optimizer import make_optimizer


def step(settings: Optimizer, gradient: list[float]) -> np.ndarray:
    """What one step adds to a variable that was zero."""
    variable = tf.Variable(tf.zeros([len(gradient)]))
    make_optimizer(settings, total_steps=10).apply_gradients([(tf.constant(gradient), variable)])
    return variable.numpy()


def test_sgd_goes_down_the_gradient() -> None:
    np.testing.assert_allclose(step(Optimizer(name="sgd", learning_rate=0.5), [1.0, -2.0]), [-0.5, 1.0])


def test_clipping_is_by_the_global_norm() -> None:
    moved = step(Optimizer(name="sgd", learning_rate=1.0, clip_norm=1.0), [3.0, 4.0])
    np.testing.assert_allclose(moved, [-0.6, -0.8], rtol=1e-6)


def test_a_schedule_is_followed() -> None:
    settings = Optimizer(name="sgd", learning_rate=1.0, schedule=Schedule(warmup_steps=4))
    np.testing.assert_allclose(step(settings, [1.0]), [-0.25])


def test_adamw_decays_weights() -> None:
    variable = tf.Variable([1.0])
    settings = Optimizer(name="adamw", learning_rate=0.1, weight_decay=0.5)
    make_optimizer(settings, 10).apply_gradients([(tf.constant([0.0]), variable)])
    np.testing.assert_allclose(variable.numpy(), [0.95])


@pytest.mark.parametrize("name", ["adam", "adamw", "sgd", "adagrad", "rmsprop", "ftrl"])
def test_every_name_makes_a_step(name: str) -> None:
    settings = Optimizer.model_validate({"name": name, "learning_rate": 0.1, "momentum": 0.9, "weight_decay": 0.01})
    assert step(settings, [1.0])[0] < 0.0
