from __future__ import annotations

import pytest
import tensorflow as tf

from configs.training import Training
from distribution.cluster import Cluster, Task
from distribution.membership import Membership
from distribution.strategies.registry import Registry, make_strategy
from schemas.errors import TrainingError


def make(training: Training, own: Membership | None = None) -> tf.distribute.Strategy:
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
    assert caught.value.fix == "Known strategies: auto, mirrored."


@pytest.mark.parametrize("name", ["default", "one_device", "mirrored", "central_storage"])
def test_strategies_of_one_process(name: str) -> None:
    strategy = make_strategy(Training.model_validate({"strategy": name}))
    assert strategy.num_replicas_in_sync >= 1


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("tpu", "No TPU can be reached"),
        ("multi_worker_mirrored", "needs a cluster of workers"),
        ("parameter_server", "needs a cluster of a chief, workers and parameter servers"),
    ],
)
def test_strategies_that_are_not_possible_here(name: str, message: str) -> None:
    with pytest.raises(TrainingError, match=message) as caught:
        make_strategy(Training.model_validate({"strategy": name}))
    assert caught.value.fix


def test_nccl_without_gpus() -> None:
    own = Membership(Cluster({"worker": ("127.0.0.1:1",)}), Task("worker", 0))
    settings = {"strategy": "multi_worker_mirrored", "collectives": {"implementation": "nccl"}}
    with pytest.raises(TrainingError, match="there is none"):
        make_strategy(Training.model_validate(settings), own)
