from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest

from schemas.errors import TrainingError
from tests.unit.models.replicas import evaluated_backup, moved, parameter_servers, trained_by_servers, visits

pytestmark = pytest.mark.slow  # it really trains or analyses, again and again


@pytest.fixture(scope="module")
def servers() -> Iterator[ProcessPoolExecutor]:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=parameter_servers) as executor:
        yield executor


@pytest.mark.parametrize("loop", ["fit", "custom"])
def test_it_learns(servers: ProcessPoolExecutor, tmp_path: Path, loop: str) -> None:
    settings = {
        "loop": loop, "epochs": 4, "accumulation": 2, "backup": True, "backup_seconds": 0, "early_stopping": {},
        "tensorboard": True, "log_steps": 5, "optimizer": {"learning_rate": 0.05, "clip_norm": 1.0, "ema": 0.1},
    }  # fmt: skip
    weights, history = servers.submit(trained_by_servers, str(tmp_path), **settings).result()
    assert all(np.isfinite(one).all() for one in weights)
    assert history["val_loss"][-1] < 0.5 * history["val_loss"][0]
    # What is shared among servers is whole in a backup.
    assert evaluated_backup(str(tmp_path), **settings) == 1


@pytest.mark.parametrize("loop", ["fit", "custom"])
def test_each_row_is_seen_once_in_a_pass(servers: ProcessPoolExecutor, tmp_path: Path, loop: str) -> None:
    # 15 steps of 8 rows pass twice over 60.
    assert servers.submit(visits, str(tmp_path), loop).result() == [2.0] * 60


@pytest.mark.parametrize("loop", ["fit", "custom"])
def test_it_goes_on_within_an_epoch(servers: ProcessPoolExecutor, tmp_path: Path, loop: str) -> None:
    assert servers.submit(visits, str(tmp_path), loop, preempt=True).result() == []
    assert list((tmp_path / "backup").glob("*.index"))
    assert servers.submit(visits, str(tmp_path), loop).result() == [2.0] * 60


@pytest.mark.parametrize("loop", ["fit", "custom"])
def test_the_step_of_a_loss_that_is_not_finite_is_named(
    servers: ProcessPoolExecutor, tmp_path: Path, loop: str
) -> None:
    settings = {"loop": loop, "steps_per_execution": 1, "optimizer": {"name": "sgd", "learning_rate": 1e30}}
    with pytest.raises(TrainingError, match=r"(?s)loss is not a finite number.*Trainer, step [1-5]\b.*rows"):
        servers.submit(trained_by_servers, str(tmp_path), **settings).result()


def test_each_gradient_moves_the_weights_once(servers: ProcessPoolExecutor) -> None:
    assert servers.submit(moved).result() == [10.0] * 40
