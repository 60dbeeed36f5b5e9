"""Walks the DAG of a compiled pipeline, and runs its tasks in dependency order."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from google.protobuf import json_format

from runners.kubeflow.dry_run.executor_input import (
    DEFAULT_ROOT,
    LOCAL_FOLDERS,
    OUTPUTS,
    Outputs,
    Scope,
    dynamic_name,
    executor_input,
    task_inputs,
)
from runners.kubeflow.dry_run.place import Place
from runners.kubeflow.dry_run.placeholders import substitute
from runners.kubeflow.dry_run.pod import Cluster, Mount, make_folder
from runners.kubeflow.dry_run.process import run_process
from runners.kubeflow.dry_run.task_order import is_exit_task, task_count, task_order
from runners.kubeflow.dry_run.task_outputs import read_outputs
from runners.kubeflow.dry_run.task_result import FAILED, SKIPPED, SUCCEEDED, TaskResult
from runners.kubeflow.specification import Specification
from schemas.errors import RunError, ScalableTFError

_IN_STORE = {SUCCEEDED: "COMPLETE", FAILED: "FAILED", SKIPPED: "FAILED"}


@dataclass
class Walk:
    """One execution of a pipeline.

    Attributes:
        specification: of the pipeline.
        root: folder for everything that it makes.
        place: where tasks run.
        cluster: what it stands in for.
        run: what placeholders of the run stand for, by name.
        environment: variables that every task gets, beside its own.
        limit: seconds that a task may take where the specification says nothing.
        retries: whether a task that failed is tried again as its policy says.
        started: called with each task's name when it begins, how many were before it, and how many there are.
        ended: called with each task's result.
        results: of the tasks so far, in their order.
    """

    specification: Specification
    root: Path
    place: Place
    cluster: Cluster
    run: Mapping[str, str]
    environment: Mapping[str, str] = field(default_factory=dict)
    limit: float | None = None
    retries: bool = True
    started: Callable[[str, int, int], None] = lambda name, before, count: None
    ended: Callable[[TaskResult], None] = lambda result: None
    results: list[TaskResult] = field(default_factory=list)

    def execute(self, parameters: Mapping[str, Any]) -> bool:
        """Runs the pipeline, with a value for each of its parameters; whether it succeeded."""
        state, _ = self._dag(self.specification.pipeline.root, Scope(parameters), "")
        return state == SUCCEEDED and all(result.state == SUCCEEDED for result in self.results)

    def _dag(self, component: Any, scope: Scope, path: str) -> tuple[str, Outputs]:
        failed = False
        for name, task in task_order(component.dag.tasks):
            if failed and not is_exit_task(task):
                # As Argo does, which begins no task of a DAG after one of its tasks has failed.
                self._skip(name, task, path)
                scope.states[name] = _IN_STORE[SKIPPED]
                continue
            state, outputs = self._task(name, task, scope, path)
            scope.states[name], scope.outputs[name] = _IN_STORE[state], outputs
            failed = failed or state != SUCCEEDED
        return (FAILED, Outputs()) if failed else (SUCCEEDED, _dag_outputs(component.dag.outputs, scope))

    def _skip(self, name: str, task: Any, path: str) -> None:
        inner = self.specification.pipeline.components[task.component_ref.name].dag.tasks
        for below, inside in task_order(inner):
            self._skip(below, inside, f"{path}{name}/")
        if not inner:
            self._report(TaskResult(f"{path}{name}", reason="a task before it failed"))

    def _task(self, name: str, task: Any, scope: Scope, path: str) -> tuple[str, Outputs]:
        component = self.specification.pipeline.components[task.component_ref.name]
        run = {**self.run, "pipeline_task_name": name, "pipeline_task_uuid": str(len(self.results) + 1)}
        try:
            inputs = task_inputs(task, component, scope, run)
        except ScalableTFError as error:
            self._report(TaskResult(f"{path}{name}", state=FAILED, reason=str(error)))
            return FAILED, Outputs()
        if component.HasField("dag"):
            return self._dag(component, Scope(inputs.parameters, inputs.artifacts), f"{path}{name}/")
        return self._container(name, task, component, inputs, scope, run, path)

    def _container(
        self, name: str, task: Any, component: Any, inputs: Outputs, scope: Scope, run: Mapping[str, str], path: str
    ) -> tuple[str, Outputs]:
        label = component.executor_label
        container = self._executors()[label]["container"]
        kubernetes = self.specification.kubernetes.get(label, {})
        folder = self.root / "tasks" / f"{path}{name}".replace("/", ".")
        self.started(name, len(self.results), task_count(self.specification))
        begun = time.monotonic()
        command: tuple[str, ...] = ()
        code, attempts, logs, outputs, reason = None, 0, None, Outputs(), ""
        try:
            given = executor_input(inputs, component, name, self._artifacts())
            words = [*container.get("command", ()), *container.get("args", ())]
            command = tuple(substitute(words, given, f"task {name}"))
            if not command:
                raise RunError("The task has no command.", where=f"task {name}", fix="KFP needs one: set it.")

            def named(entry: Mapping[str, Any], plain: str) -> str:
                return _named(entry, plain, scope, run, f"task {name}")

            variables = {
                **self.environment,
                **{item["name"]: item.get("value", "") for item in container.get("env", ())},
                **self.cluster.variables(kubernetes, name, named),
            }
            limit = float(kubernetes.get("activeDeadlineSeconds") or 0) or self.limit
            for pause in _pauses(task.retry_policy) if self.retries else (0.0,):
                time.sleep(pause)
                attempts += 1
                logs = folder / f"attempt-{attempts}"
                mounts = [*self._own(logs), *self.cluster.mounts(kubernetes, logs, named)]
                self._prepare(given, mounts)
                line, environment = self.place.command(command, variables, mounts, "/tmp")
                code = run_process(line, environment, logs, limit)
                if code == 0:
                    outputs = read_outputs(given, component, self.place, mounts, f"task {name}")
                    break
        except ScalableTFError as error:
            reason = str(error)
        state = SUCCEEDED if code == 0 and not reason else FAILED
        seconds = time.monotonic() - begun
        self._report(TaskResult(f"{path}{name}", command, state, code, seconds, attempts, logs, reason))
        return state, outputs

    def _own(self, logs: Path) -> list[Mount]:
        """What each pod has to itself, and the artifacts that the launcher fetches from the object store."""
        temporary = logs / "tmp"
        temporary.mkdir(parents=True)
        temporary.chmod(0o1777)
        found = [Mount(temporary, "/tmp")]
        for scheme, target in LOCAL_FOLDERS.items():
            objects = self.root / "objects" / scheme
            make_folder(objects, self.cluster.mode)
            found.append(Mount(objects, target))
        return found

    def _prepare(self, given: Mapping[str, Any], mounts: list[Mount]) -> None:
        make_folder(self.place.here(OUTPUTS, mounts), self.cluster.mode)
        paths = [given["outputs"]["outputFile"]]
        paths += [artifact["artifacts"][0]["path"] for artifact in given["outputs"]["artifacts"].values()]
        for path in paths:
            make_folder(self.place.here(path, mounts).parent, self.cluster.mode)

    def _artifacts(self) -> str:
        root = (self.specification.pipeline.default_pipeline_root or DEFAULT_ROOT).rstrip("/")
        return f"{root}/{self.specification.name}/{self.run['pipeline_job_uuid']}"

    def _executors(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = json_format.MessageToDict(self.specification.pipeline.deployment_spec)["executors"]
        return found

    def _report(self, result: TaskResult) -> None:
        self.results.append(result)
        self.ended(result)


def _pauses(policy: Any) -> Iterator[float]:
    """The pause before each attempt; Argo waits as the policy says before those after the first."""
    yield 0.0
    pause = float(policy.backoff_duration.ToTimedelta().total_seconds())
    most = float(policy.backoff_max_duration.ToTimedelta().total_seconds()) or pause
    for _ in range(policy.max_retry_count):
        yield min(pause, most)
        pause *= policy.backoff_factor or 1.0


def _named(entry: Mapping[str, Any], plain: str, scope: Scope, run: Mapping[str, str], where: str) -> str:
    """The name in an entry, which is written out or an input of the task."""
    if plain in entry:
        return str(entry[plain])
    return dynamic_name(entry, scope, run, where)


def _dag_outputs(outputs: Any, scope: Scope) -> Outputs:
    parameters, artifacts = {}, {}
    for name, chosen in outputs.parameters.items():
        source = chosen.value_from_parameter
        made = scope.outputs.get(source.producer_subtask, Outputs()).parameters
        if source.output_parameter_key in made:
            parameters[name] = made[source.output_parameter_key]
    for name, chosen in outputs.artifacts.items():
        for source in chosen.artifact_selectors:
            made = scope.outputs.get(source.producer_subtask, Outputs()).artifacts
            if source.output_artifact_key in made:
                artifacts[name] = made[source.output_artifact_key]
    return Outputs(parameters, artifacts)
