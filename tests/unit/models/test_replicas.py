from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.unit.models.replicas import is_dense, trained_central, trained_mirrored, two_devices

pytestmark = pytest.mark.slow  # it really trains or analyses, again and again


@pytest.fixture(scope="module")
def devices() -> Iterator[ProcessPoolExecutor]:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=two_devices) as executor:
        yield executor


EVERYTHING = {
    "accumulation": 4,
    "log_steps": 2,
    "steps_per_execution": 2,
    "optimizer": {"name": "sgd", "learning_rate": 0.5, "clip_norm": 0.1, "ema": 0.5},
}


@pytest.mark.parametrize(
    ("loop", "settings"),
    [("fit", EVERYTHING), ("custom", EVERYTHING), ("custom", {"precision": "mixed_float16"})],
    ids=["fit", "custom", "float16"],
)
def test_two_devices_train_as_one_does(
    devices: ProcessPoolExecutor, tmp_path: Path, loop: str, settings: dict[str, Any]
) -> None:
    one, one_history = devices.submit(trained_mirrored, 1, str(tmp_path), loop=loop, **settings).result()
    two, two_history = devices.submit(trained_mirrored, 2, str(tmp_path), loop=loop, **settings).result()
    rtol, atol = (1e-2, 1e-3) if "precision" in settings else (1e-4, 1e-6)
    for expected, found in zip(one, two, strict=True):
        np.testing.assert_allclose(found, expected, rtol=rtol, atol=atol)
    for name in one_history:
        np.testing.assert_allclose(two_history[name], one_history[name], rtol=max(rtol, 1e-3))


def test_which_gradients_are_dense_does_not_depend_on_the_number_of_replicas(devices: ProcessPoolExecutor) -> None:
    found = [devices.submit(is_dense, number, rows).result() for number, rows in ((1, 4), (2, 2), (1, 2), (2, 1))]
    assert found == [True, True, False, False]


@pytest.mark.parametrize("loop", ["fit", "custom"])
def test_variables_on_one_of_two_devices(devices: ProcessPoolExecutor, tmp_path: Path, loop: str) -> None:
    one, _ = devices.submit(trained_mirrored, 1, str(tmp_path), loop=loop, log_steps=2).result()
    two, _ = devices.submit(trained_central, str(tmp_path), loop=loop, log_steps=2).result()
    for expected, found in zip(one, two, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)
