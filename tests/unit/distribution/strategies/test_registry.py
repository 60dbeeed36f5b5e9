from __future__ import annotations

import pytest
import tensorflow as tf

from configs.training import Training
from distribution.strategies.registry import Registry, make_strategy
from schemas.errors import TrainingError


def make(training: Training) -> tf.distribute.Strategy:
    return tf.distribute.get_strategy()


def test_a_name_is_taken_once() -> None:
    registry = Registry()
    registry.add("default", make)
    with pytest.raises(ValueError, match="'default' is registered already"):
        registry.add("default", make)


def test_names_are_sorted() -> None:
    assert Registry({"b": make, "a": make}).names == ("a", "b")


def test_an_unknown_name_names_the_nearest() -> None:
    with pytest.raises(TrainingError, match="Did you mean 'mirrored'") as caught:
        Registry({"mirrored": make}).make(Training(strategy="mirrored").model_copy(update={"strategy": "mirored"}))
    assert caught.value.received == "mirored"
    assert caught.value.fix == "Known strategies: mirrored."


@pytest.mark.parametrize("name", ["auto", "default", "one_device", "mirrored"])
def test_every_name_of_the_settings_makes_a_strategy(name: str) -> None:
    strategy = make_strategy(Training.model_validate({"strategy": name}))
    assert strategy.num_replicas_in_sync >= 1
