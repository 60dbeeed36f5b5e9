"""A pipeline for open-source Kubeflow Pipelines: a container task for each node, made with Kubeflow's SDK.

    begin -> ExampleGen -> ... -> Pusher        in an exit handler,
    end                                         which runs however they ended

KFP knows the order and starts the containers. What a node reads, whether it comes from the cache, and what it has made
is decided and recorded by our own node entry point in ML Metadata, as in a local run; docs/decisions/0023-kubeflow.md.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml
from kfp import compiler, dsl

from configs.kubeflow import BEGIN, END, Kubeflow, Retries
from configs.settings import Settings
from pipeline import nodes
from runners.kubeflow.compiled_in import compiled_text
from runners.kubeflow.given_settings import COMPILED_OPTION
from runners.kubeflow.run_parameters import NO_SPAN, settings_text
from runners.kubeflow.task_names import pipeline_name, task_names
from runners.kubeflow.task_platform import pod, resources

COMMAND = ("scalable-tf", "kubeflow", "task")
REPORT, PAGE, METRICS = "report", "page", "metrics"
"""Outputs that Kubeflow's interface shows: of each node a Markdown text, of some an HTML page or numbers."""
_PAGES = (nodes.STATISTICS_GEN,)
_WITH_METRICS = (nodes.EVALUATOR,)
_EXECUTOR_INPUT = "{{$}}"
"""What the task was given, as JSON: where its outputs go, which only metrics need."""


def kfp_documents(settings: Settings, upstream: Mapping[str, Sequence[str]]) -> list[dict[str, Any]]:
    """The two documents that Kubeflow takes: the pipeline, and what Kubernetes gives its tasks.

    Args:
        settings: with kubeflow.image.
        upstream: for each node, in order, the nodes that it needs.
    """
    names = task_names(upstream)
    with TemporaryDirectory() as folder:
        file = Path(folder, "pipeline.yaml")
        compiler.Compiler().compile(_pipeline(settings, upstream, names), str(file))
        (document,) = yaml.safe_load_all(file.read_text(encoding="utf-8"))
    _keep_metrics_inside(document)
    executors = document["deploymentSpec"]["executors"]
    platform: dict[str, Any] = {}
    for node, name in names.items():
        label = f"exec-{name}"
        if given := resources(settings.kubeflow, settings.kubeflow.task(node)):
            executors[label]["container"]["resources"] = given
        if config := pod(settings.kubeflow, node):
            platform[label] = config
    if not platform:
        return [document]
    return [document, {"platforms": {"kubernetes": {"deploymentSpec": {"executors": platform}}}}]


def _keep_metrics_inside(document: dict[str, Any]) -> None:
    """Takes away what older releases of the SDK add: the metrics of a task as an output of the pipeline itself."""
    for component in (document["root"], *document["components"].values()):
        if "dag" in component:
            component.pop("outputDefinitions", None)
            component["dag"].pop("outputs", None)


def _pipeline(settings: Settings, upstream: Mapping[str, Sequence[str]], names: Mapping[str, str]) -> Any:
    kubeflow, compiled = settings.kubeflow, compiled_text(settings, upstream)

    def body(settings: Any, span: Any, steps: Any, window: Any) -> None:
        run = {"run_id": dsl.PIPELINE_JOB_ID_PLACEHOLDER, "settings": settings}
        last = _set(_end(kubeflow)(**run), kubeflow, END)
        with dsl.ExitHandler(last, name="run"):
            begin = _begin(kubeflow, compiled)(**run, span=span, steps=steps, window=window)
            tasks = {BEGIN: _set(begin, kubeflow, BEGIN)}
            for node, before in upstream.items():
                task = _set(_node(kubeflow, node, names[node])(**run), kubeflow, node)
                tasks[node] = task.after(*(tasks[one] for one in before or (BEGIN,)))

    parameters = {
        "settings": (str, settings_text(settings)),
        "span": (int, NO_SPAN),
        "steps": (int, 0),
        "window": (int, 0),
    }
    description = f"The pipeline {settings.name} of scalable-tensorflow."
    return dsl.pipeline(name=pipeline_name(settings.name), description=description)(
        _signed(body, settings.name, parameters)
    )


def _begin(kubeflow: Kubeflow, compiled: str) -> Any:
    inputs = {"run_id": str, "settings": str, "span": int, "steps": int, "window": int}
    return _component(kubeflow, BEGIN, BEGIN, inputs, more=(COMPILED_OPTION, compiled))


def _end(kubeflow: Kubeflow) -> Any:
    return _component(kubeflow, END, END, {"run_id": str, "settings": str, "status": dsl.PipelineTaskFinalStatus})


def _node(kubeflow: Kubeflow, node: str, name: str) -> Any:
    shown: dict[str, Any] = {REPORT: dsl.Output[dsl.Markdown]}
    if node in _PAGES:
        shown[PAGE] = dsl.Output[dsl.HTML]
    more = ["--node", node]
    if node in _WITH_METRICS:
        shown[METRICS] = dsl.Output[dsl.Metrics]
        more += ["--executor-input", _EXECUTOR_INPUT]
    return _component(kubeflow, name, "run", {"run_id": str, "settings": str}, shown, more)


def _component(
    kubeflow: Kubeflow,
    name: str,
    action: str,
    inputs: Mapping[str, Any],
    shown: Mapping[str, Any] | None = None,
    more: Sequence[str] = (),
) -> Any:
    """A component whose container calls `scalable-tf kubeflow task ACTION`, with an option for each input and output.

    Args:
        kubeflow: of the settings.
        name: of the component.
        action: what it does.
        inputs: types of its parameters, by name.
        shown: types of its artifacts, by name.
        more: further words of its command line.
    """
    shown = shown or {}

    def body(**given: Any) -> Any:
        args: list[Any] = list(more)
        for key in inputs:
            args += [f"--{key.replace('_', '-')}", given[key]]
        for key in shown:
            if key != METRICS:
                args += [f"--{key}", given[key].path]
        return dsl.ContainerSpec(image=kubeflow.image, command=[*COMMAND, action], args=args)

    parameters = {key: (kind, inspect.Parameter.empty) for key, kind in {**inputs, **shown}.items()}
    return dsl.container_component(_signed(body, name.replace("-", "_"), parameters))


def _signed(body: Callable[..., Any], name: str, parameters: Mapping[str, tuple[Any, Any]]) -> Callable[..., Any]:
    """A function as the SDK wants it, which reads names, types and defaults from the signature."""

    def function(*values: Any) -> Any:
        return body(**dict(zip(parameters, values, strict=True)))

    function.__name__ = name
    function.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [
            inspect.Parameter(key, inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=kind, default=default)
            for key, (kind, default) in parameters.items()
        ]
    )
    return function


def _set(task: Any, kubeflow: Kubeflow, name: str) -> Any:
    """What the SDK itself can say of a task."""
    given = kubeflow.task(name)
    task.set_caching_options(False)  # KFP's cache sees a command line only; ours sees data, settings and code
    task.set_display_name(name)
    for variable, value in sorted(given.environment.items()):
        task.set_env_variable(variable, value)
    retries = given.retries or Retries()
    if retries.count:
        task.set_retry(retries.count, f"{retries.seconds}s", retries.factor, f"{retries.max_seconds}s")
    return task
