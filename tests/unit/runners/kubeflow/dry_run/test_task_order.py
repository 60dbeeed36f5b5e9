"""The order of tasks, and what is refused before anything runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from google.protobuf import json_format
from kfp.pipeline_spec import pipeline_spec_pb2

from runners.kubeflow.dry_run.task_order import require_executable, task_order
from runners.kubeflow.specification import Specification
from schemas.errors import RunError


def dag(**tasks: dict[str, Any]) -> Any:
    return json_format.ParseDict({"tasks": tasks}, pipeline_spec_pb2.DagSpec()).tasks


def task(*after: str, **fields: Any) -> dict[str, Any]:
    return {"componentRef": {"name": "comp"}, "dependentTasks": list(after), **fields}


EXIT = {"triggerPolicy": {"strategy": "ALL_UPSTREAM_TASKS_COMPLETED"}}


def order(**tasks: dict[str, Any]) -> list[str]:
    return [name for name, _ in task_order(dag(**tasks))]


def test_tasks_come_after_those_that_they_wait_for_and_else_by_name() -> None:
    assert order(c=task(), a=task("b"), b=task("c"), d=task()) == ["c", "b", "a", "d"]


def test_a_task_waits_for_those_whose_outputs_it_takes() -> None:
    taken = {"parameters": {"x": {"taskOutputParameter": {"producerTask": "z", "outputParameterKey": "x"}}}}

    assert order(a=task(inputs=taken), z=task()) == ["z", "a"]


def test_exit_tasks_come_last() -> None:
    assert order(a=task("b", **EXIT), b=task(), c=task()) == ["b", "c", "a"]


@pytest.mark.parametrize(
    ("tasks", "told"),
    [({"a": task("b"), "b": task("a")}, "in a circle"), ({"a": task("gone")}, "waits for one that is not there")],
)
def test_an_order_that_cannot_be(tasks: dict[str, Any], told: str) -> None:
    with pytest.raises(RunError, match=told):
        order(**tasks)


@pytest.mark.parametrize(
    ("fields", "executor", "told"),
    [
        ({"triggerPolicy": {"condition": "true"}}, {"container": {}}, "a condition"),
        ({"parameterIterator": {"itemInput": "x"}}, {"container": {}}, "a loop"),
        ({}, {"importer": {}}, "a task of this kind: importer"),
        ({}, {}, "a task of this kind: none"),
    ],
)
def test_what_is_not_executed(fields: dict[str, Any], executor: dict[str, Any], told: str) -> None:
    content = {
        "root": {"dag": {"tasks": {"a": task(**fields)}}},
        "components": {"comp": {"executorLabel": "exec"}},
        "deploymentSpec": {"executors": {"exec": executor}},
    }
    pipeline = json_format.ParseDict(content, pipeline_spec_pb2.PipelineSpec())

    with pytest.raises(RunError, match=f"does not execute {told}"):
        require_executable(Specification(Path("pipeline.yaml"), b"", pipeline, {}))
