from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from runners.run_record import RunRecord
from runners.schedule.lost_runs import DELETED, LostRun, lost_runs

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=timezone.utc)


def run(age: float, state: Any = "running", orchestrator: str = "kubeflow") -> RunRecord:
    started = (NOW - timedelta(seconds=age)).isoformat()
    return RunRecord("a", "trips", state, started, orchestrator=orchestrator)


@pytest.mark.parametrize(
    ("age", "run_seconds", "is_lost"),
    [(3600, 3600.0, False), (3601, 3600.0, True), (7 * 86400, None, False), (7 * 86400 + 1, None, True)],
)
def test_without_a_word_of_kubeflow_time_decides(age: float, run_seconds: float | None, is_lost: bool) -> None:
    assert bool(lost_runs([run(age)], run_seconds, NOW, None)) == is_lost
    assert bool(lost_runs([run(age)], run_seconds, NOW, lambda _: "")) == is_lost  # it does not answer


def test_the_reason_is_said() -> None:
    assert lost_runs([run(60)], 30.0, NOW, None) == {
        "a": LostRun("It has run on kubeflow for longer than schedule.run_seconds, 30 s.")
    }


@pytest.mark.parametrize(
    ("state", "why", "canceled"),
    [
        ("CANCELED", "It was terminated on kubeflow", True),
        ("CANCELLED", "It was terminated on kubeflow", True),
        (DELETED, "It was deleted on kubeflow", False),
        ("FAILED", "It has failed on kubeflow", False),
        ("SUCCEEDED", "It is over on kubeflow", False),
        ("SKIPPED", "It is over on kubeflow", False),
    ],
)
def test_what_kubeflow_says_is_over_is(state: str, why: str, canceled: bool) -> None:
    (found,) = lost_runs([run(1)], 3600.0, NOW, lambda _: state).values()
    assert found == LostRun(f"{why}, and nobody has closed its record here.", canceled)


@pytest.mark.parametrize("state", ["RUNNING", "PENDING", "PAUSED", "CANCELING"])
def test_what_kubeflow_says_goes_on_does_however_long_it_takes(state: str) -> None:
    assert lost_runs([run(1e6)], 1.0, NOW, lambda _: state) == {}


@pytest.mark.parametrize("one", [run(1e7, orchestrator=""), run(1e7, state="failed"), run(1e7, state="complete")])
def test_other_runs_are_not_asked_about(one: RunRecord) -> None:
    def ask(run_id: str) -> str:
        raise AssertionError(run_id)

    assert lost_runs([one], 1.0, NOW, ask) == {}
