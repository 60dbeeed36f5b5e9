from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from models.order import Order


def drawn(order: Order, steps: int, first: int = 0) -> list[int]:
    return [row for step in range(first, first + steps) for row in order.rows_of(tf.constant(step, tf.int64)).numpy()]


def test_one_row() -> None:
    assert drawn(Order(rows=1, batch_size=1, seed=0), 3) == [0, 0, 0]


def test_a_batch_goes_on_with_the_next_pass() -> None:
    rows = drawn(Order(rows=10, batch_size=4, seed=1), 5)
    assert sorted(rows[:10]) == sorted(rows[10:]) == list(range(10))


def test_passes_differ_and_seeds_differ() -> None:
    first = drawn(Order(100, 100, 1), 2)
    assert first[:100] != first[100:]
    assert drawn(Order(100, 100, 2), 1) != first[:100]
    assert drawn(Order(100, 100, 1), 2) == first


def test_a_batch_larger_than_the_data_passes_over_it_again() -> None:
    assert sorted(drawn(Order(rows=2, batch_size=4, seed=3), 1)) == [0, 0, 1, 1]


@settings(max_examples=25, deadline=None)
@given(rows=st.integers(1, 60), batch=st.integers(1, 60), seed=st.integers(0, 2**32 - 1))
def test_every_row_comes_once_in_each_pass(rows: int, batch: int, seed: int) -> None:
    steps = -(-3 * rows // batch)
    found = drawn(Order(rows, batch, seed), steps)[: 3 * rows]
    for turn in range(3):
        assert sorted(found[turn * rows : (turn + 1) * rows]) == list(range(rows))


@pytest.mark.parametrize("rows", [1000, 100_003])
def test_neighbours_part(rows: int) -> None:
    # Were the order random, a row and the one after it would be rows / 3 apart on average.
    found = np.array(drawn(Order(rows, rows, 7), 1))
    assert np.abs(np.diff(found)).mean() == pytest.approx(rows / 3, rel=0.1)
    assert abs(np.corrcoef(np.arange(rows), found)[0, 1]) < 0.1
