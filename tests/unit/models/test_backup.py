from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from models.network import Network
from models.train import train_model
from tests.unit.models.regression import make_model, make_split, make_training

pytestmark = pytest.mark.slow  # it really trains or analyses, again and again


class KilledError(Exception):
    """Stands for whatever ends a process."""


def train(folder: Path, monkeypatch: pytest.MonkeyPatch | None = None, **settings: Any) -> Network:
    model, head = make_model(dropout=0.0)
    split = make_split()
    if monkeypatch is not None:
        step, seen = model.make_train_function, []

        def make(force: bool = False) -> Any:
            run = step(force)

            def interrupted(iterator: Any) -> Any:
                seen.append(1)
                if len(seen) == 10:
                    raise KilledError
                return run(iterator)

            return interrupted

        monkeypatch.setattr(model, "make_train_function", make)
    training = make_training(epochs=5, steps_per_execution=1, backup=True, backup_seconds=0, **settings)
    trained = train_model(model, head, split, split, training, str(folder / "run"), str(folder / "backup"))
    assert trained.backup is not None
    trained.backup.remove()
    return model


@pytest.mark.parametrize("stopping", [None, {"patience": 10}])
def test_an_interrupted_training_ends_like_an_undisturbed_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stopping: dict[str, int] | None
) -> None:
    with pytest.raises(KilledError):
        train(tmp_path, monkeypatch, early_stopping=stopping)
    assert tf.train.latest_checkpoint(str(tmp_path / "backup")) is not None
    resumed = train(tmp_path, early_stopping=stopping)
    undisturbed = train(tmp_path / "other", early_stopping=stopping)
    assert int(resumed.optimizer.iterations) == int(undisturbed.optimizer.iterations) == 20
    for one, other in zip(resumed.get_weights(), undisturbed.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_backup_can_be_removed(tmp_path: Path) -> None:
    train(tmp_path)
    assert not (tmp_path / "backup").exists()
