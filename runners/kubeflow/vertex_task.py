"""A task on Vertex AI: TFX's entry point for one executor, with the artifacts where Vertex mounts the buckets.

Our executors read and write with the file system, and name gs:// addresses only as sources of data. Vertex AI mounts
every bucket under /gcs, so a task sees folders there, and Vertex the addresses that it gave.
"""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path
from typing import Any

from components.example_gen.driver import Driver
from components.example_gen.executor import Executor
from runners.kubeflow.bucket_path import MOUNT, in_bucket, mounted


def run_vertex_task(executor: str, invocation: str, inputs_spec: str, beam: list[str], mount: str = MOUNT) -> None:
    """Runs one executor as Vertex AI wants it run.

    Args:
        executor: dotted path of its class.
        invocation: Vertex's ExecutorInput as JSON.
        inputs_spec: JSON of the types of the component's parameters.
        beam: arguments for Beam.
        mount: where buckets are mounted.

    Source: ExecutorInput and ExecutorOutput of pipeline_spec.proto, kubeflow/pipelines.
    """
    # What it imports takes seconds, and only tasks of Vertex need it.
    from tfx.orchestration.kubeflow.v2.container import kubeflow_v2_run_executor

    given = json.loads(invocation)
    _each_address(given, lambda place: mounted(place, mount))
    if executor == f"{Executor.__module__}.{Executor.__qualname__}":
        inputs_spec = _find_data(given["inputs"]["parameterValues"], inputs_spec)
    for artifacts in given["outputs"].get("artifacts", {}).values():
        for artifact in artifacts["artifacts"]:
            # In a bucket there is nothing to make; as a folder it must be there, as TFX's own launchers make it.
            Path(artifact["uri"]).mkdir(parents=True, exist_ok=True)
    arguments = Namespace(
        executor_class_path=executor,
        json_serialized_invocation_args=json.dumps(given),
        json_serialized_inputs_spec_args=inputs_spec,
    )
    kubeflow_v2_run_executor.main((arguments, beam))
    output = Path(given["outputs"]["outputFile"])
    made = json.loads(output.read_text(encoding="utf-8"))
    _each_address(made, lambda place: in_bucket(place, mount))
    output.write_text(json.dumps(made), encoding="utf-8")


def _find_data(parameters: dict[str, Any], inputs_spec: str) -> str:
    """Adds what ExampleGen's driver finds out: which files, of which span, and their fingerprint.

    Returns:
        The types of the parameters, with those of the new ones.
    """
    driver = Driver(None)  # the search needs no store
    found = driver.resolve_exec_properties(dict(parameters), None, None)
    parameters.update({name: value for name, value in found.items() if value is not None})
    types = json.loads(inputs_spec)
    for name, value in found.items():
        kind = "NUMBER_INTEGER" if isinstance(value, int) else "STRING"
        types.setdefault("parameters", {}).setdefault(name, {"parameterType": kind})
    return json.dumps(types)


def _each_address(content: dict[str, Any], change: Callable[[str], str]) -> None:
    """Changes the addresses of artifacts and of the output file; parameters, such as the path of the data, stay."""
    for part in (content, content.get("inputs", {}), content.get("outputs", {})):
        if "outputFile" in part:
            part["outputFile"] = change(part["outputFile"])
        for artifacts in part.get("artifacts", {}).values():
            for artifact in artifacts.get("artifacts", ()):
                if "uri" in artifact:
                    artifact["uri"] = change(artifact["uri"])
