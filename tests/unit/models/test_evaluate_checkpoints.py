from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import tensorflow as tf

from models.evaluate_checkpoints import evaluate_checkpoints, is_done
from models.train import train_model
from tests.unit.models.regression import make_model, make_split, make_training

pytestmark = pytest.mark.slow  # it really trains or analyses, again and again


def scalars(folder: Path, tag: str) -> list[tuple[int, float]]:
    return [
        (event.step, float(tf.make_ndarray(value.tensor)))
        for path in folder.glob("events.out.tfevents.*")
        for event in tf.compat.v1.train.summary_iterator(str(path))
        for value in event.summary.value
        if value.tag == tag
    ]


def test_done_is_a_file(tmp_path: Path) -> None:
    assert not is_done(None)
    assert not is_done(str(tmp_path))
    (tmp_path / "done").touch()
    assert is_done(str(tmp_path))


@pytest.mark.parametrize("ema", [None, 0.5])
def test_a_backup_is_evaluated_as_the_training_did(tmp_path: Path, ema: float | None) -> None:
    settings = make_training(epochs=2, backup=True, backup_seconds=0, optimizer={"ema": ema})
    split = make_split()
    model, head = make_model(dropout=0.0)
    history = train_model(model, head, split, split, settings, str(tmp_path)).history.history
    other, head = make_model(seed=2, dropout=0.0)
    evaluated = evaluate_checkpoints(
        other, head, split, settings, str(tmp_path / "backup"), str(tmp_path), is_over=lambda: True
    )
    assert evaluated == 1
    assert scalars(tmp_path / "evaluator", "loss") == [(8, pytest.approx(history["val_loss"][-1], rel=1e-5))]


def test_a_backup_that_vanishes_is_passed_over(tmp_path: Path) -> None:
    settings = make_training(epochs=2, backup=True, backup_seconds=0)
    split = make_split()
    model, head = make_model(dropout=0.0)
    train_model(model, head, split, split, settings, str(tmp_path))
    backups = tmp_path / "backup"
    for data in backups.glob("*.data-*"):  # the index is read first, and the numbers are gone
        data.unlink()
    looks: Iterator[bool] = iter([False, True])
    model, head = make_model(seed=2, dropout=0.0)
    assert evaluate_checkpoints(model, head, split, settings, str(backups), str(tmp_path), lambda: next(looks)) == 0
