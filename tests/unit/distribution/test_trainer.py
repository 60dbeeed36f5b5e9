from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import tensorflow as tf

from distribution import trainer
from distribution.trainer import run_fn
from distribution.user_function import import_function
from schemas.errors import TrainingError

SEEN: list[tuple[Any, tf.distribute.Strategy, bool]] = []


def spy(fn_args: Any) -> None:
    """Stands for a user's run_fn."""
    SEEN.append((fn_args, tf.distribute.get_strategy(), tf.distribute.in_cross_replica_context()))


def arguments(run_fn: str = "distribution.trainer.spy", **training: Any) -> SimpleNamespace:
    return SimpleNamespace(custom_config={"run_fn": run_fn, "settings": {"training": training}})


@pytest.fixture
def spied(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, tf.distribute.Strategy, bool]]:
    monkeypatch.setattr(trainer, "spy", spy, raising=False)
    SEEN.clear()
    return SEEN


@pytest.mark.parametrize(
    ("strategy", "kind"),
    [("one_device", tf.distribute.OneDeviceStrategy), ("mirrored", tf.distribute.MirroredStrategy)],
)
def test_the_users_function_runs_in_the_scope(spied: list[Any], strategy: str, kind: type) -> None:
    given = arguments(strategy=strategy)
    run_fn(given)
    ((seen, found, cross_replica),) = spied
    assert seen is given
    assert isinstance(found, kind)
    assert cross_replica


def test_the_default_strategy_is_tensorflows(spied: list[Any]) -> None:
    run_fn(arguments(strategy="default"))
    assert not tf.distribute.has_strategy()
    assert spied[0][1] is tf.distribute.get_strategy()


def test_a_function_by_its_path() -> None:
    assert import_function("distribution.trainer.run_fn") is run_fn


@pytest.mark.parametrize(
    ("path", "what"),
    [
        (
            "distribution.trainer.run_fm",
            "There is no function 'run_fm' in distribution.trainer. Did you mean 'run_fn'?",
        ),
        ("distribution.trainer.xyz", "There is no function 'xyz' in distribution.trainer."),
        (
            "distribution.trainr.run_fn",
            "There is no module 'distribution.trainr'. Did you mean 'distribution.trainer'?",
        ),
        ("nowhere.run_fn", "There is no module 'nowhere'."),
        ("distribution.trainer.__doc__", "There is no function '__doc__' in distribution.trainer."),
    ],
)
def test_no_such_function(path: str, what: str) -> None:
    with pytest.raises(TrainingError) as caught:
        run_fn(arguments(path))
    assert caught.value.what == what
    assert caught.value.where == "model.run_fn"
    assert caught.value.received == path


def test_wrong_settings(spied: list[Any]) -> None:
    with pytest.raises(TrainingError, match="not valid") as caught:
        run_fn(arguments(batch_size=0))
    assert caught.value.where == "Trainer: training.batch_size"


def test_an_unknown_strategy(spied: list[Any]) -> None:
    with pytest.raises(TrainingError) as caught:
        run_fn(arguments(strategy="mirored"))
    assert caught.value.where == "Trainer: training.strategy"
