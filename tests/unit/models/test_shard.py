from __future__ import annotations

import pytest
import tensorflow as tf

from models.shard import Shard


def test_one_process_takes_all() -> None:
    assert Shard().part_of(tf.range(4)).numpy().tolist() == [[0, 1, 2, 3]]
    assert Shard().even_sizes(7, 2) == [3, 4]


def test_two_processes_of_two_replicas() -> None:
    first, second = (Shard(index, 2, 2).part_of(tf.range(8)).numpy().tolist() for index in range(2))
    assert first == [[0, 1], [2, 3]]
    assert second == [[4, 5], [6, 7]]


def test_the_last_process_has_fewer_rows_and_as_many_batches() -> None:
    # 11 rows: the first process has 0, 2, 4, 6, 8, 10, the second 1, 3, 5, 7, 9.
    assert Shard(0, 2).even_sizes(11, 4) == [1, 2, 1, 2]
    assert Shard(1, 2).even_sizes(11, 4) == [1, 1, 1, 2]


@pytest.mark.parametrize(("pipelines", "replicas"), [(1, 2), (2, 2), (2, 4)])
def test_what_a_strategy_asks_for(pipelines: int, replicas: int) -> None:
    shard = Shard.of(tf.distribute.InputContext(pipelines, pipelines - 1, replicas))
    assert (shard.index, shard.count, shard.all_replicas) == (pipelines - 1, pipelines, replicas)
