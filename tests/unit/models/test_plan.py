from __future__ import annotations

import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from configs.training import Training
from models.plan import Plan


def test_epochs() -> None:
    plan = Plan.of(Training(batch_size=4, epochs=3), rows=10)
    assert plan == Plan(batch_size=4, steps_per_epoch=2, epochs=3, steps=6, steps_per_execution=2)


@pytest.mark.parametrize(("rows", "size"), [(7, 7), (346, 16), (1024, 32), (8191, 128), (8192, 256), (10**6, 256)])
def test_without_a_batch_size_few_rows_make_small_batches(rows: int, size: int) -> None:
    assert Plan.of(Training(), rows).batch_size == size


def test_steps_win_over_epochs() -> None:
    plan = Plan.of(Training(batch_size=4, epochs=3, steps=5), rows=10)
    assert plan == Plan(batch_size=4, steps_per_epoch=2, epochs=3, steps=5, steps_per_execution=2)


def test_fewer_steps_than_an_epoch() -> None:
    plan = Plan.of(Training(batch_size=1, steps=3), rows=10)
    assert plan == Plan(batch_size=1, steps_per_epoch=3, epochs=1, steps=3, steps_per_execution=3)


def test_a_small_split_is_one_batch(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        plan = Plan.of(Training(batch_size=256, epochs=2), rows=7)
    assert (plan.batch_size, plan.steps_per_epoch) == (7, 1)
    assert "only 7 rows" in caplog.text


@given(
    rows=st.integers(1, 10_000),
    batch=st.integers(1, 300),
    steps=st.none() | st.integers(1, 500),
    together=st.none() | st.integers(1, 200),
)
def test_epochs_hold_the_steps(rows: int, batch: int, steps: int | None, together: int | None) -> None:
    plan = Plan.of(Training(batch_size=batch, steps=steps, steps_per_execution=together), rows)
    last_epoch = plan.steps - (plan.epochs - 1) * plan.steps_per_epoch
    assert 1 <= last_epoch <= plan.steps_per_epoch
    assert 1 <= plan.steps_per_execution <= plan.steps_per_epoch


def test_rows_that_do_not_divide_into_steps_of_all_replicas(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        plan = Plan.of(Training(replica_batch_size=2), rows=11, replicas=2)
    assert (plan.batch_size, plan.steps_per_epoch, plan.replicas) == (4, 2, 2)
    assert "11 rows are not a whole number of steps of 4 rows for 2 replicas: 3 rows are left" in caplog.text


def test_workers_of_parameter_servers_have_several_executions_each() -> None:
    # 1000 rows in batches of 10: 100 steps an epoch, in 8 executions or more for each of 2 workers.
    settings = Training(batch_size=10)
    assert Plan.of(settings, 1000).steps_per_execution == 64
    assert Plan.of(settings, 1000, workers=2).steps_per_execution == 100 // 16
    assert Plan.of(settings, 50, workers=2).steps_per_execution == 1
