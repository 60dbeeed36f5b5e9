from __future__ import annotations

import pytest

from benchmarks.clock import epoch_seconds, warm_step_seconds

_EXECUTIONS = [
    ("train", 10.0, 14.0, 2, 10.0),
    ("train", 14.5, 15.0, 1, 14.5),
    ("test", 15.5, 16.0, 1),
    ("train", 20.0, 20.5, 2, 20.0),
    ("train", 20.6, 21.0, 1, 20.6),
    ("test", 21.5, 22.0, 1),
]


def test_an_epoch_lasts_from_its_first_execution_to_its_evaluation() -> None:
    assert epoch_seconds(_EXECUTIONS) == [(5.5, 3), (1.5, 3)]


def test_the_first_epoch_does_not_count_for_a_step() -> None:
    assert warm_step_seconds({"executions": _EXECUTIONS}) == pytest.approx(0.5)
