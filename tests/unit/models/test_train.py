from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from configs.training import STOPPED_FILE, EarlyStopping
from models.network import Network
from models.train import train_model
from schemas.errors import TrainingError
from tests.unit.models.regression import make_model, make_split, make_training

pytestmark = pytest.mark.slow  # it really trains or analyses, again and again


def trained(
    folder: Path, *, seed: int = 1, rows: int = 64, **settings: Any
) -> tuple[Network, tf.keras.callbacks.History]:
    model, head = make_model(seed)
    split = make_split(rows)
    return model, train_model(model, head, split, split, make_training(seed=seed, **settings), str(folder)).history


def same(one: Network, other: Network) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(one.get_weights(), other.get_weights(), strict=True))


def test_it_learns(tmp_path: Path) -> None:
    _, history = trained(tmp_path, epochs=30, optimizer={"learning_rate": 0.05})
    assert history.history["val_loss"][-1] < 0.05 * history.history["val_loss"][0]


def test_the_same_seed_gives_the_same_weights(tmp_path: Path) -> None:
    first, _ = trained(tmp_path)
    assert same(first, trained(tmp_path)[0])
    assert not same(first, trained(tmp_path, seed=2)[0])


def test_steps_in_one_execution_change_nothing(tmp_path: Path) -> None:
    one, _ = trained(tmp_path, steps_per_execution=1)
    assert same(one, trained(tmp_path, steps_per_execution=4)[0])
    # 3 does not divide the 4 steps of an epoch: the last execution is shorter.
    assert same(one, trained(tmp_path, steps_per_execution=3)[0])


@pytest.mark.parametrize("loop", ["fit", "custom"])
@pytest.mark.parametrize("together", [1, 3, 4])
@pytest.mark.parametrize("steps", [1, 3, 4, 6, 11])
def test_it_makes_just_so_many_steps(tmp_path: Path, steps: int, together: int, loop: str) -> None:
    model, _ = trained(tmp_path, steps=steps, steps_per_execution=together, loop=loop)
    assert int(model.optimizer.iterations) == steps


@pytest.mark.parametrize("loop", ["fit", "custom"])
def test_a_resumed_training_makes_just_so_many_steps(tmp_path: Path, loop: str) -> None:
    options = {"loop": loop, "steps_per_execution": 3, "backup": True, "backup_seconds": 0, "backup_steps": 3}
    model, _ = trained(tmp_path, steps=6, **options)  # an epoch has 4: the backup is of step 3
    assert int(model.optimizer.iterations) == 6
    assert (tmp_path / "backup").is_dir()
    again, _ = trained(tmp_path, steps=6, **options)
    assert int(again.optimizer.iterations) == 6
    assert same(again, model)
    longer, _ = trained(tmp_path, steps=11, **options)
    assert int(longer.optimizer.iterations) == 11


@pytest.mark.parametrize("backup", [False, True])
def test_under_a_mirrored_strategy_it_trains_as_without(tmp_path: Path, backup: bool) -> None:
    one, _ = trained(tmp_path / "one", backup=backup)
    with tf.distribute.MirroredStrategy(["/cpu:0"]).scope():
        mirrored, _ = trained(tmp_path / "mirrored", backup=backup)
    for expected, found in zip(one.get_weights(), mirrored.get_weights(), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_a_split_smaller_than_the_batch(tmp_path: Path) -> None:
    model, _ = trained(tmp_path, rows=5, epochs=2)
    assert int(model.optimizer.iterations) == 2


def test_tensorboard_writes_to_the_run_folder(tmp_path: Path) -> None:
    trained(tmp_path, tensorboard=True, epochs=1)
    assert {path.parent.name for path in tmp_path.rglob("events.out.tfevents.*")} == {"train", "validation"}


def test_a_loss_that_is_not_finite_names_the_step(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="not a finite number") as caught:
        trained(tmp_path, optimizer={"name": "sgd", "learning_rate": 1e30}, steps_per_execution=1)
    assert caught.value.where in {f"Trainer, step {step}" for step in (2, 3)}


def test_a_loss_that_is_not_finite_within_an_execution_names_its_steps(tmp_path: Path) -> None:
    with pytest.raises(TrainingError) as caught:
        trained(tmp_path, optimizer={"name": "sgd", "learning_rate": 1e30}, steps_per_execution=4)
    assert caught.value.where == "Trainer, between step 1 and step 4"


def test_clipping_keeps_it_finite(tmp_path: Path) -> None:
    _, history = trained(tmp_path, optimizer={"name": "sgd", "learning_rate": 1.0, "clip_norm": 1e-3})
    assert np.isfinite(history.history["loss"]).all()


def test_early_stopping_keeps_the_best_weights(tmp_path: Path) -> None:
    # The learning rate grows with each step until the training diverges: an early epoch is the best.
    model, head = make_model()
    split = make_split()
    stopping = EarlyStopping(patience=2)
    settings = make_training(
        epochs=40,
        early_stopping=stopping,
        optimizer={"name": "sgd", "learning_rate": 3.0, "schedule": {"warmup_steps": 100}},
    )
    history = train_model(model, head, split, split, settings, str(tmp_path)).history.history["val_loss"]
    best = min(history)
    assert len(history) < 40
    assert best < history[-1]
    assert (tmp_path / STOPPED_FILE).read_text() == (
        f"Stopped early, after epoch {len(history)}: val_loss has not improved for 2 epochs "
        f"(training.early_stopping.patience). The weights are those of epoch {history.index(best) + 1}."
    )
    assert model.evaluate({"x": split.columns["x"]}, split.labels, verbose=0, return_dict=True)[
        "loss"
    ] == pytest.approx(best)


def test_early_stopping_by_what_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="no metric 'val_auc'") as caught:
        trained(tmp_path, early_stopping={"monitor": "val_auc"})
    assert "val_loss" in caught.value.fix


@pytest.mark.parametrize("precision", ["float32", "mixed_bfloat16", "mixed_float16"])
@pytest.mark.parametrize("xla", [False, True])
def test_precision_and_xla(tmp_path: Path, precision: str, xla: bool) -> None:
    tf.keras.mixed_precision.set_global_policy(precision)
    try:
        model, history = trained(tmp_path, precision=precision, xla=xla, epochs=1)
    finally:
        tf.keras.mixed_precision.set_global_policy("float32")
    assert np.isfinite(history.history["loss"]).all()
    assert model({"x": tf.zeros([1, 1])}).dtype == tf.float32
    assert {weight.dtype for weight in model.trainable_variables} == {tf.float32}


def test_the_log_tells_of_early_stopping(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    stopping = {"monitor": "loss", "patience": 2, "min_delta": 1e9}
    with caplog.at_level("INFO", "models.early_stopping"):
        model, _ = trained(tmp_path, epochs=9, early_stopping=stopping)
    assert int(model.optimizer.iterations) < 9 * 4
    assert "Stopped early, after epoch 3: loss has not improved for 2 epochs" in caplog.text
    assert "those of epoch 1." in caplog.text
