from __future__ import annotations

import pytest
import tensorflow as tf

from models.graph_optimization import graph_optimization


def disabled() -> bool:
    return bool(tf.config.optimizer.get_experimental_options().get("disable_meta_optimizer", False))


@pytest.mark.parametrize(("steps", "off"), [(1999, True), (2000, False)])
def test_it_is_off_for_short_trainings(steps: int, off: bool) -> None:
    with graph_optimization(steps):
        assert disabled() is off
    assert disabled() is False


def test_it_comes_back_after_an_error() -> None:
    with pytest.raises(RuntimeError, match="stop"), graph_optimization(1):
        raise RuntimeError("stop")
    assert disabled() is False
