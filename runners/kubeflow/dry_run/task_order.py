"""The order of a DAG's tasks, and what a dry run does not execute."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from google.protobuf import json_format

from schemas.errors import RunError

if TYPE_CHECKING:
    from runners.kubeflow.specification import Specification

_COMPLETED = 2  # PipelineTaskSpec.TriggerPolicy.ALL_UPSTREAM_TASKS_COMPLETED


def task_order(tasks: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Each task after those that it depends on or takes something from; by name where that leaves a choice.

    Args:
        tasks: PipelineTaskSpecs of one DAG, by name.

    Raises:
        RunError: they wait for each other, or for one that is not there.
    """
    waits = {name: _before(task) for name, task in tasks.items()}
    for name, before in waits.items():
        if unknown := sorted(before - waits.keys()):
            fix = "Compile the pipeline again."
            raise RunError(
                "A task waits for one that is not there.", where=f"task {name}", received=unknown[0], fix=fix
            )
    ready = [(is_exit_task(tasks[name]), name) for name, before in waits.items() if not before]
    heapq.heapify(ready)
    while ready:
        _, name = heapq.heappop(ready)
        del waits[name]
        yield name, tasks[name]
        for other, before in waits.items():
            if name in before:
                before.discard(name)
                if not before:
                    heapq.heappush(ready, (is_exit_task(tasks[other]), other))
    if waits:
        names = ", ".join(sorted(waits))
        raise RunError("Tasks wait for each other in a circle.", received=names, fix="Compile the pipeline again.")


def is_exit_task(task: Any) -> bool:
    """Whether it runs however those before it ended."""
    return bool(task.trigger_policy.strategy == _COMPLETED)


def task_count(specification: Specification) -> int:
    """How many containers a run of it has, when nothing fails."""
    pipeline = specification.pipeline
    tasks = _tasks(pipeline.root.dag.tasks, pipeline, "", ())
    return sum(not pipeline.components[task.component_ref.name].HasField("dag") for _, task in tasks)


def require_executable(specification: Specification) -> None:
    """Refuses, before anything runs, what a dry run does not execute.

    Raises:
        RunError: a condition, a loop, an importer or a resolver; or a reference to something that is not there.
    """
    pipeline = specification.pipeline
    executors = json_format.MessageToDict(pipeline.deployment_spec).get("executors", {})
    for where, task in _tasks(pipeline.root.dag.tasks, pipeline, "", ()):
        component = pipeline.components.get(task.component_ref.name)
        if task.HasField("parameter_iterator") or task.HasField("artifact_iterator"):
            raise _refused("a loop", where)
        if task.trigger_policy.condition:
            raise _refused("a condition", where)
        if component is None:
            fix = "Compile the pipeline again."
            raise RunError(
                "A task's component is missing.", where=f"task {where}", received=task.component_ref.name, fix=fix
            )
        if not component.HasField("dag"):
            executor = executors.get(component.executor_label, {})
            if "container" not in executor:
                raise _refused(f"a task of this kind: {', '.join(executor) or 'none'}", where)


def _tasks(tasks: Mapping[str, Any], pipeline: Any, path: str, above: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    for name, task in task_order(tasks):
        yield f"{path}{name}", task
        component = task.component_ref.name
        if component in above:
            fix = "Compile the pipeline again."
            raise RunError("A component contains itself.", where=f"task {path}{name}", received=component, fix=fix)
        inner = pipeline.components[component].dag.tasks
        yield from _tasks(inner, pipeline, f"{path}{name}/", (*above, component))


def _before(task: Any) -> set[str]:
    found = set(task.dependent_tasks)
    for given in task.inputs.parameters.values():
        kind = given.WhichOneof("kind")
        if kind in ("task_output_parameter", "task_final_status"):
            found.add(getattr(given, kind).producer_task)
    for given in task.inputs.artifacts.values():
        if given.WhichOneof("kind") == "task_output_artifact":
            found.add(given.task_output_artifact.producer_task)
    return found


def _refused(what: str, where: str) -> RunError:
    return RunError(
        f"A dry run does not execute {what}.",
        where=f"task {where}",
        fix="Submit it to a cluster; pipelines that `kubeflow compile` makes need none of this.",
    )
