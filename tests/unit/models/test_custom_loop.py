from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from models.input_fn import Split
from models.network import Network
from models.order import Order
from models.train import train_model
from schemas.errors import TrainingError
from schemas.transformed import WEIGHT_KEY
from tests.unit.models.regression import SPEC, make_model, make_split, make_training

pytestmark = pytest.mark.slow  # it really trains or analyses, again and again


def weighted_split(rows: int = 64) -> Split:
    """y = 3 x, the rows weighing from 0 to 2."""
    split = make_split(rows)
    assert split.columns is not None
    weights = {WEIGHT_KEY: np.linspace(0, 2, rows, dtype=np.float32)[:, None]}
    return Split((), {**SPEC, WEIGHT_KEY: SPEC["x"]}, split.labels, {**split.columns, **weights})


def trained(
    folder: Path, loop: str, split: Split | None = None, l2: float = 0.0, **settings: Any
) -> tuple[Network, dict[str, list[float]]]:
    model, head = make_model(l2=l2, dropout=0.0)
    split = split or make_split()
    history = train_model(model, head, split, split, make_training(loop=loop, **settings), str(folder)).history
    return model, history.history


def assert_alike(one: Network, other: Network, rtol: float = 1e-5, atol: float = 1e-6) -> None:
    for expected, found in zip(one.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_allclose(found, expected, rtol=rtol, atol=atol)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"steps": 6, "steps_per_execution": 2},
        {"accumulation": 3, "steps_per_execution": 3},
        {"optimizer": {"name": "sgd", "learning_rate": 0.5, "clip_norm": 0.1}},
        {"optimizer": {"ema": 0.5, "schedule": {"kind": "cosine", "warmup_steps": 3}}},
        {"l2": 0.1, "split": weighted_split()},
        {"early_stopping": {"patience": 0, "min_delta": 100.0}},
    ],
    ids=["plain", "steps", "accumulation", "clipping", "average", "l2 and weights", "early stopping"],
)
def test_it_trains_as_fit_does(tmp_path: Path, settings: dict[str, Any]) -> None:
    fitted, fit_history = trained(tmp_path, "fit", **settings)
    looped, loop_history = trained(tmp_path, "custom", **settings)
    assert_alike(fitted, looped)
    assert fit_history.keys() == loop_history.keys()
    for name in fit_history:
        np.testing.assert_allclose(loop_history[name], fit_history[name], rtol=1e-4)


@pytest.mark.parametrize("xla", [False, True])
@pytest.mark.parametrize("precision", ["mixed_bfloat16", "mixed_float16"])
def test_precision_and_xla(tmp_path: Path, precision: str, xla: bool) -> None:
    tf.keras.mixed_precision.set_global_policy(precision)
    try:
        settings: dict[str, Any] = {"precision": precision, "xla": xla, "epochs": 2}
        fitted, _ = trained(tmp_path, "fit", **settings)
        looped, _ = trained(tmp_path, "custom", **settings)
    finally:
        tf.keras.mixed_precision.set_global_policy("float32")
    assert_alike(fitted, looped, rtol=1e-2, atol=1e-3)


def test_a_log_line_and_tensorboard_every_so_many_steps(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        trained(tmp_path, "custom", log_steps=5, tensorboard=True, epochs=3, steps_per_execution=1)
    lines = [record.getMessage() for record in caplog.records if record.getMessage().startswith("Step ")]
    assert [line.split(":")[0] for line in lines] == ["Step 5", "Step 10"]
    assert "learning_rate 0.001" in lines[0]
    found: dict[str, list[int]] = {}
    for path in (tmp_path / "train").glob("events.out.tfevents.*"):
        for event in tf.compat.v1.train.summary_iterator(str(path)):
            for value in event.summary.value:
                found.setdefault(value.tag, []).append(event.step)
    assert {tag: steps for tag, steps in found.items() if not tag.startswith(("epoch_", "keras"))} == {
        tag: [5, 10] for tag in ("loss", "learning_rate", "gradient_norm", "examples_per_second")
    }


def test_a_loss_that_is_not_finite_names_the_step_and_its_rows(tmp_path: Path) -> None:
    split = make_split()
    assert split.columns is not None
    split.columns["x"][40] = np.nan
    order = Order(rows=64, batch_size=16, seed=42)
    step = next(step for step in range(4) if 40 in order.rows_of(tf.constant(step, tf.int64)).numpy())
    with pytest.raises(TrainingError, match="not a finite number") as caught:
        trained(tmp_path, "custom", split, steps_per_execution=4)
    assert caught.value.where == f"Trainer, step {step + 1}"
    assert "x is not finite in 40" in str(caught.value.received)


@pytest.mark.parametrize("loop", ["fit", "custom"])
def test_accumulation_changes_nothing(tmp_path: Path, loop: str) -> None:
    split = weighted_split()
    once, _ = trained(tmp_path, loop, split, l2=0.1)
    # 16 rows in pieces of 5, 5 and 6.
    in_pieces, _ = trained(tmp_path, loop, split, l2=0.1, accumulation=3)
    assert_alike(once, in_pieces)


@pytest.mark.parametrize("loop", ["fit", "custom"])
def test_no_backup_is_made_of_weights_that_are_not_finite(tmp_path: Path, loop: str) -> None:
    def run(rate: float, **more: Any) -> None:
        optimizer = {"name": "sgd", "learning_rate": rate, "schedule": {"kind": "exponential", "decay_rate": 1.0}}
        trained(tmp_path, loop, backup=True, backup_seconds=0, steps_per_execution=1, optimizer=optimizer, **more)

    run(0.01, epochs=2)
    good = tf.train.latest_checkpoint(str(tmp_path / "backup"))
    assert good is not None
    # The loss of the next step is finite still, and the weights that it leaves behind are not.
    with pytest.raises(TrainingError, match="weights are no longer finite") as caught:
        run(3e38, epochs=3)
    assert caught.value.where == "Trainer, step 9"
    assert tf.train.latest_checkpoint(str(tmp_path / "backup")) == good


@pytest.mark.parametrize("loop", ["fit", "custom"])
def test_averages_are_evaluated_kept_and_left(tmp_path: Path, loop: str) -> None:
    settings: dict[str, Any] = {"epochs": 4, "optimizer": {"learning_rate": 0.05, "ema": 0.9}}
    model, history = trained(tmp_path, loop, **settings)
    split = make_split()
    assert split.columns is not None
    found = model.evaluate({"x": split.columns["x"]}, split.labels, verbose=0, return_dict=True)
    assert found["loss"] == pytest.approx(history["val_loss"][-1], rel=1e-5)
    plain, _ = trained(tmp_path, loop, epochs=4, optimizer={"learning_rate": 0.05})
    assert not np.allclose(model.get_weights()[0], plain.get_weights()[0])
    best, best_history = trained(tmp_path, loop, early_stopping={"patience": 9}, **settings)
    assert best_history["val_loss"] == pytest.approx(history["val_loss"])
    assert_alike(model, best)
