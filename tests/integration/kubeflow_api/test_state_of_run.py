"""What a schedule is told of a run that it waits for."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from runners.kubeflow.service.api import PipelinesApi
from runners.kubeflow.service.experiments import ensure_experiment
from runners.kubeflow.service.runs import start_run, terminate_run
from runners.kubeflow.service.state_of_run import state_of_run
from runners.kubeflow.service.versions import ensure_version
from runners.kubeflow.specification import Specification
from runners.schedule.lost_runs import DELETED
from tests.integration.kubeflow_api.api_state import KubeflowApi
from tests.integration.kubeflow_api.conftest import QUICK
from tests.integration.kubeflow_api.fault import Fault


@pytest.fixture
def run_id(local: PipelinesApi, specification: Specification) -> Iterator[str]:
    version = ensure_version(local, specification)
    return start_run(local, version, ensure_experiment(local, "any"), "a run", {}).run_id


def test_a_run_that_was_terminated_and_one_that_is_not_there(
    server: KubeflowApi, local: PipelinesApi, run_id: str
) -> None:
    assert state_of_run(server.url, run_id, {}, QUICK) in ("PENDING", "RUNNING")
    terminate_run(local, run_id)
    assert state_of_run(server.url, run_id, {}, QUICK) == "CANCELED"
    assert server.runs[run_id]["state"] == "FAILED"  # as KFP 2.15 says of one that it was told to end
    assert state_of_run(server.url, "00000000-0000-0000-0000-000000000000", {}, QUICK) == DELETED


@pytest.mark.parametrize(
    ("history", "state"),
    [
        (["RUNNING", "CANCELING", "FAILED"], "CANCELED"),
        (["RUNNING", "FAILED"], "FAILED"),
        (["CANCELING", "FAILED", "RUNNING", "FAILED"], "FAILED"),  # it was tried again there, and failed by itself
        (["RUNNING", "CANCELING", "SUCCEEDED"], "SUCCEEDED"),  # it was too late
    ],
)
def test_what_was_terminated_is_known_by_its_history(history: list[str], state: str, server: KubeflowApi) -> None:
    told = [{"update_time": "2027-01-01T00:00:00Z", "state": one} for one in history]
    body = json.dumps({"run_id": "one", "state": history[-1], "state_history": told}).encode()
    server.faults = [Fault("GET .*/runs/one", 200, body=body)]
    assert state_of_run(server.url, "one", {}, QUICK) == state


def test_a_server_that_does_not_say_is_no_answer(
    server: KubeflowApi, run_id: str, caplog: pytest.LogCaptureFixture
) -> None:
    server.faults = [Fault("GET .*/runs/", 403), Fault("GET .*/runs/", 503, times=9)]
    assert state_of_run(server.url, run_id, {}, QUICK) == ""
    assert state_of_run(server.url, run_id, {}, QUICK) == ""
    assert state_of_run("http://127.0.0.1:9", run_id, {}, QUICK) == ""
    assert state_of_run(f"{server.url}/elsewhere", run_id, {}, QUICK) == ""  # a page of 404, not the API server's word
    assert caplog.text.count("does not say what became of run") == 4
