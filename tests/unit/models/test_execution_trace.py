from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import tensorflow as tf

from models.execution_trace import TRACED
from models.train import train_model
from tests.unit.models.regression import make_model, make_split, make_training

pytestmark = pytest.mark.slow  # it really trains


@pytest.fixture
def traced() -> Iterator[None]:
    token = TRACED.set(True)
    yield
    TRACED.reset(token)


def train(folder: Path, loop: str = "fit", **settings: object) -> list[Path]:
    """Four steps an epoch; gives the traces."""
    model, head = make_model()
    split = make_split()
    train_model(model, head, split, split, make_training(loop=loop, **settings), str(folder))
    return list(folder.glob("plugins/profile/*/*.xplane.pb"))


@pytest.mark.parametrize("loop", ["fit", "custom"])
def test_both_loops_are_traced(tmp_path: Path, traced: None, loop: str) -> None:
    (trace,) = train(tmp_path, loop, steps_per_execution=1)
    # Of what TensorFlow ran, the names of operations are in it.
    assert b"MatMul" in trace.read_bytes()


def test_a_training_that_ends_before_the_last_execution_to_be_traced(tmp_path: Path, traced: None) -> None:
    (trace,) = train(tmp_path, steps_per_execution=2, epochs=1)
    assert b"MatMul" in trace.read_bytes()


def test_one_execution_says_why_there_is_no_trace(
    tmp_path: Path, traced: None, caplog: pytest.LogCaptureFixture
) -> None:
    assert train(tmp_path, steps_per_execution=4, epochs=1) == []
    assert "one execution only" in caplog.text


def test_another_profile_of_this_process_is_left_alone(
    tmp_path: Path, traced: None, caplog: pytest.LogCaptureFixture
) -> None:
    tf.profiler.experimental.start(str(tmp_path / "other"))
    try:
        assert train(tmp_path, steps_per_execution=1) == []
    finally:
        tf.profiler.experimental.stop()
    assert "another profile" in caplog.text
    assert list(tmp_path.glob("other/plugins/profile/*/*.xplane.pb"))


def test_nothing_is_traced_unasked(tmp_path: Path) -> None:
    assert train(tmp_path, steps_per_execution=1) == []
