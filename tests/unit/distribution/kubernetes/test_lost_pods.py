from __future__ import annotations

import pytest

from distribution.kubernetes.api_server import ApiError
from distribution.kubernetes.lost_pods import LostPods
from distribution.kubernetes.task_reports import TaskReports
from tests.unit.distribution.kubernetes.api_that_is_away import api_that_is_away
from tests.unit.distribution.kubernetes.workloads import parameter_server, pod


def test_all_but_the_evaluator_start_again_when_a_parameter_server_is_lost() -> None:
    others = [pod("chief"), pod("worker"), pod("worker", 1), pod("evaluator")]
    with api_that_is_away(0) as (api, removed):
        lost = LostPods(api, parameter_server(), TaskReports())
        lost.look([pod("ps"), *others])
        lost.look([pod("ps", phase="Failed"), *others])
        lost.look([pod("ps", phase="Failed"), *others])

    assert removed == ["taxi-chief-0", "taxi-worker-0", "taxi-worker-1"]


def test_pods_that_could_not_be_removed_are_removed_later() -> None:
    pods = [pod("ps", phase="Failed"), pod("chief"), pod("worker")]
    with api_that_is_away(2) as (api, removed):
        lost = LostPods(api, parameter_server(), TaskReports())
        for _ in range(2):
            with pytest.raises(ApiError):
                lost.look(pods)
        lost.look(pods)

    assert removed == ["taxi-chief-0", "taxi-worker-0"]
