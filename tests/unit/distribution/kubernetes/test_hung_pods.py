from __future__ import annotations

import pytest

from distribution.kubernetes.api_server import ApiError
from distribution.kubernetes.hung_pods import HungPods
from distribution.kubernetes.task_reports import TaskReports
from tests.unit.distribution.kubernetes.api_that_is_away import api_that_is_away
from tests.unit.distribution.kubernetes.workloads import pod


class Reports(TaskReports):
    """Of tasks that are silent from the start."""

    def __init__(self) -> None:
        self.begun: list[str] = []

    def begins(self, task: str) -> None:
        self.begun.append(task)

    def silent_for(self, task: str) -> float | None:
        return 120.0


def test_a_task_begins_once_with_each_pod_before_it_runs() -> None:
    reports = Reports()
    with api_that_is_away(0) as (api, removed):
        hung = HungPods(api, reports)
        for _ in range(2):
            hung.look([pod("worker", phase="Pending"), pod("worker", 1, phase="Failed")])
        hung.look([pod("worker", phase="Failed"), pod("worker", uid="another", phase="Pending")])

    assert reports.begun == ["worker-0", "worker-0"]
    assert removed == []


def test_a_pod_that_could_not_be_removed_is_removed_later() -> None:
    with api_that_is_away(1) as (api, removed):
        hung = HungPods(api, Reports())
        with pytest.raises(ApiError):
            hung.look([pod("worker")])
        hung.look([pod("worker")])

    assert removed == ["taxi-worker-0"]
