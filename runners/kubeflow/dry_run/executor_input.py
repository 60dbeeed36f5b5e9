"""What a task is given and where it writes: KFP's ExecutorInput, as the backend's driver makes it (2.15)."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from google.protobuf import json_format

from runners.kubeflow.dry_run.placeholders import constant, text_of
from schemas.errors import RunError

DEFAULT_ROOT = "minio://mlpipeline/v2/artifacts"
"""Of the artifacts that KFP itself keeps, where the specification names no other."""
LOCAL_FOLDERS = {"minio": "/minio", "s3": "/s3", "gs": "/gcs"}
"""Where the launcher shows what is in an object store, by scheme."""
OUTPUTS = "/tmp/kfp/outputs"
_METADATA = "/tmp/kfp_outputs/output_metadata.json"


@dataclass
class Scope:
    """What the tasks of one DAG see.

    Attributes:
        parameters: of the component that the DAG is.
        artifacts: the same.
        outputs: of the tasks that have ended: parameters and artifacts by name.
        states: of the tasks that have ended, as ML Metadata names them: COMPLETE or FAILED.
    """

    parameters: Mapping[str, Any] = field(default_factory=dict)
    artifacts: Mapping[str, Any] = field(default_factory=dict)
    outputs: dict[str, Outputs] = field(default_factory=dict)
    states: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Outputs:
    """Of a task or a DAG, by name."""

    parameters: Mapping[str, Any] = field(default_factory=dict)
    artifacts: Mapping[str, Any] = field(default_factory=dict)


def task_inputs(task: Any, component: Any, scope: Scope, run: Mapping[str, str]) -> Outputs:
    """The parameters and artifacts that a task gets.

    Args:
        task: the PipelineTaskSpec.
        component: the ComponentSpec that it runs.
        scope: of the DAG that it is in.
        run: what placeholders of the run and the task stand for.

    Raises:
        RunError: one is missing, or of another type than the component's.
    """
    where = f"task {task.task_info.name}"
    parameters: dict[str, Any] = {}
    for name, given in task.inputs.parameters.items():
        value = _parameter(given, task, scope, run, where)
        if value is not None or not component.input_definitions.parameters[name].is_optional:
            parameters[name] = value
    for name, declared in component.input_definitions.parameters.items():
        if name not in parameters and declared.HasField("default_value"):
            parameters[name] = json_format.MessageToDict(declared.default_value)
        if name not in parameters and not declared.is_optional:
            raise RunError("The task lacks an input parameter.", where=where, received=name, fix="Give it a value.")
        if name in parameters:
            parameters[name] = typed(parameters[name], declared.parameter_type, f"{where}, parameter {name}")
    artifacts = {name: _artifact(given, scope, where) for name, given in task.inputs.artifacts.items()}
    return Outputs(parameters, artifacts)


def executor_input(inputs: Outputs, component: Any, task: str, root: str) -> dict[str, Any]:
    """JSON of the ExecutorInput; artifacts have their local `path` beside the `uri`.

    Args:
        inputs: what `task_inputs` gives.
        component: the ComponentSpec.
        task: its name.
        root: URI of the run's folder for artifacts.

    Raises:
        RunError: KFP has no local path for artifacts at that URI.
    """
    folder = f"{root}/{task}/{uuid.uuid4()}"
    outputs: dict[str, Any] = {
        "parameters": {
            name: {"outputFile": f"{OUTPUTS}/{name}"} for name in sorted(component.output_definitions.parameters)
        },
        "artifacts": {},
        "outputFile": f"{local_path(folder)}/output_metadata.json" if local_path(folder) else _METADATA,
    }
    for name, declared in sorted(component.output_definitions.artifacts.items()):
        uri = f"{folder}/{name}"
        path = local_path(uri)
        if path is None:
            raise RunError(
                "KFP's launcher cannot write an artifact there.",
                where=f"task {task}, artifact {name}",
                received=uri,
                fix=f"A pipeline root begins with one of {', '.join(f'{scheme}://' for scheme in LOCAL_FOLDERS)}.",
            )
        kind = json_format.MessageToDict(declared.artifact_type)
        made = {"name": name, "uri": uri, "path": path, "type": kind, "metadata": {}}
        outputs["artifacts"][name] = {"artifacts": [made]}
    return {
        "inputs": {"parameterValues": dict(inputs.parameters), "artifacts": dict(inputs.artifacts)},
        "outputs": outputs,
    }


def local_path(uri: str) -> str | None:
    """Where the launcher shows an object; None where it does not."""
    scheme, separator, rest = uri.partition("://")
    return f"{LOCAL_FOLDERS[scheme]}/{rest}" if separator and scheme in LOCAL_FOLDERS else None


def typed(value: Any, kind: int, where: str) -> Any:
    """A value that is of a parameter's type; anything becomes a text where a STRING is wanted.

    Raises:
        RunError: it is of another type.
    """
    from kfp.pipeline_spec import pipeline_spec_pb2

    names = pipeline_spec_pb2.ParameterType.ParameterTypeEnum
    name = names.Name(kind)
    if name == "STRING":
        return text_of(value)
    wanted: dict[str, tuple[type, ...]] = {
        "NUMBER_INTEGER": (int, float),
        "NUMBER_DOUBLE": (int, float),
        "BOOLEAN": (bool,),
        "LIST": (list,),
        "STRUCT": (dict,),
        "TASK_FINAL_STATUS": (dict,),
    }
    fits = isinstance(value, wanted.get(name, (object,))) and not (isinstance(value, bool) and "NUMBER" in name)
    if fits and name == "NUMBER_INTEGER":
        fits = float(value).is_integer()
    if not fits:
        raise RunError(
            f"The value is no {name}.", where=where, received=json.dumps(value), fix=f"Give it a value of type {name}."
        )
    return value


def parameter_value(text: str, kind: int) -> Any:
    """The value of an output parameter that a task wrote as text.

    Raises:
        ValueError: it is no text of that type.
    """
    from kfp.pipeline_spec import pipeline_spec_pb2

    if pipeline_spec_pb2.ParameterType.ParameterTypeEnum.Name(kind) == "STRING":
        return text
    return json.loads(text)


def dynamic_name(entry: Mapping[str, Any], scope: Scope, run: Mapping[str, str], where: str) -> str:
    """The name of a claim, Secret or ConfigMap that is an input of the task.

    Args:
        entry: of the KubernetesExecutorConfig, as JSON.
        scope: of the DAG that the task is in.
        run: what placeholders stand for.
        where: the task, for messages.

    Raises:
        RunError: the entry has no name.
    """
    from kfp.pipeline_spec import pipeline_spec_pb2

    given = next((value for key, value in entry.items() if key.endswith("NameParameter")), entry)
    spec = pipeline_spec_pb2.TaskInputsSpec.InputParameterSpec()
    known = {
        key: given[key] for key in ("taskOutputParameter", "componentInputParameter", "runtimeValue") if key in given
    }
    json_format.ParseDict(known, spec)
    if spec.WhichOneof("kind") is None:
        received = json.dumps(entry)
        raise RunError("A volume or variable has no name.", where=where, received=received, fix="Compile it again.")
    return str(_parameter(spec, None, scope, run, where))


def _parameter(given: Any, task: Any, scope: Scope, run: Mapping[str, str], where: str) -> Any:
    kind = given.WhichOneof("kind")
    if kind == "component_input_parameter":
        if given.component_input_parameter not in scope.parameters:
            what = "The DAG has no such input parameter."
            raise RunError(what, where=where, received=given.component_input_parameter, fix="Compile it again.")
        return scope.parameters[given.component_input_parameter]
    if kind == "task_output_parameter":
        producer = given.task_output_parameter.producer_task
        made = scope.outputs.get(producer, Outputs()).parameters
        if given.task_output_parameter.output_parameter_key not in made:
            received = f"{producer}.{given.task_output_parameter.output_parameter_key}"
            fix = f"Let {producer} write it, or make it optional."
            raise RunError("A task before it did not write this parameter.", where=where, received=received, fix=fix)
        return made[given.task_output_parameter.output_parameter_key]
    if kind == "task_final_status":
        # As in the backend, of the first task that it depends on, and with ML Metadata's names of states.
        producer = task.dependent_tasks[0]
        return {
            "state": scope.states[producer],
            "pipelineTaskName": producer,
            "pipelineJobResourceName": run["pipeline_job_resource_name"],
            "error": {},
        }
    value = json_format.MessageToDict(given.runtime_value.constant)
    return constant(value, run)


def _artifact(given: Any, scope: Scope, where: str) -> Any:
    if given.WhichOneof("kind") == "component_input_artifact":
        found = scope.artifacts.get(given.component_input_artifact)
        name = given.component_input_artifact
    else:
        produced = given.task_output_artifact
        found = scope.outputs.get(produced.producer_task, Outputs()).artifacts.get(produced.output_artifact_key)
        name = f"{produced.producer_task}.{produced.output_artifact_key}"
    if found is None:
        raise RunError("An input artifact is missing.", where=where, received=name, fix="Compile the pipeline again.")
    return found
