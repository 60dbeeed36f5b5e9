"""Tasks, from the nodes of an Argo workflow as KFP 2.15 lists them."""

from __future__ import annotations

import datetime
from typing import Any

import kfp_server_api

from runners.kubeflow.service.run_tasks import happened, tasks_of

BEGIN = datetime.datetime(2027, 1, 31, 3, tzinfo=datetime.timezone.utc)
NEVER = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)


def node(name: str, template: str, number: int, *children: int, state: str = "RUNNING") -> Any:
    below = [kfp_server_api.PipelineTaskDetailChildTask(pod_name=f"flow-{child}") for child in children]
    return kfp_server_api.V2beta1PipelineTaskDetail(
        display_name=name,
        task_id=f"flow-{template}-{number}",
        state=state,
        start_time=BEGIN + datetime.timedelta(seconds=number),
        end_time=NEVER,
        child_tasks=below,
    )


def test_a_task_has_the_pod_of_its_executor() -> None:
    details = [
        node("root-driver", "system-dag-driver", 1),
        node("root", "root", 2, 3),
        node("trainer-driver", "system-container-driver", 3, 4),
        node("trainer", "system-container-executor", 4, 5, state="SUCCEEDED"),
        node("executor", "system-container-impl", 5, 6),
        node("end-driver", "system-container-driver", 6),
        node("exit-handler-1", "comp-exit-handler-1", 7),
        kfp_server_api.V2beta1PipelineTaskDetail(display_name="flow", task_id="flow", state="RUNNING"),
    ]

    (task,) = tasks_of(details)

    assert (task.name, task.state, task.pod) == ("trainer", "SUCCEEDED", "flow-system-container-impl-5")
    assert task.started == BEGIN + datetime.timedelta(seconds=4)
    assert task.ended is None


def test_a_task_that_was_tried_again_has_the_last_pod() -> None:
    details = [
        node("trainer", "retry-system-container-executor", 4, 5),
        node("executor", "retry-system-container-impl", 5, 6, 7),
        node("executor(0)", "retry-system-container-impl", 6, state="FAILED"),
        node("executor(1)", "retry-system-container-impl", 7),
    ]

    (task,) = tasks_of(details)

    assert task.pod == "flow-retry-system-container-impl-7"


def test_a_task_whose_pod_is_not_there_yet() -> None:
    (task,) = tasks_of([node("trainer", "system-container-executor", 4, state="PENDING")])

    assert (task.state, task.pod) == ("PENDING", "")


def test_the_server_writes_1970_for_what_has_not_happened() -> None:
    assert happened(NEVER) is None
    assert happened(None) is None
    assert happened(BEGIN) == BEGIN
