"""What a task is given, and where it writes."""

from __future__ import annotations

from typing import Any

import pytest
from google.protobuf import json_format
from kfp.pipeline_spec import pipeline_spec_pb2

from runners.kubeflow.dry_run.executor_input import (
    Outputs,
    Scope,
    dynamic_name,
    executor_input,
    local_path,
    parameter_value,
    task_inputs,
    typed,
)
from schemas.errors import RunError

RUN = {"pipeline_job_uuid": "1234", "pipeline_job_resource_name": "p-12"}
KINDS = pipeline_spec_pb2.ParameterType.ParameterTypeEnum


def component(outputs: dict[str, Any] | None = None, **parameters: dict[str, Any]) -> Any:
    content = {"inputDefinitions": {"parameters": parameters}, "outputDefinitions": outputs or {}}
    return json_format.ParseDict(content, pipeline_spec_pb2.ComponentSpec())


def task(after: tuple[str, ...] = (), **parameters: dict[str, Any]) -> Any:
    content = {"taskInfo": {"name": "t"}, "inputs": {"parameters": parameters}, "dependentTasks": list(after)}
    return json_format.ParseDict(content, pipeline_spec_pb2.PipelineTaskSpec())


STRING, INTEGER = {"parameterType": "STRING"}, {"parameterType": "NUMBER_INTEGER"}


def test_constants_the_dags_parameters_and_outputs_of_tasks() -> None:
    given = {
        "run": {"runtimeValue": {"constant": "{{$.pipeline_job_uuid}}"}},
        "steps": {"componentInputParameter": "steps"},
        "made": {"taskOutputParameter": {"producerTask": "before", "outputParameterKey": "out"}},
    }
    scope = Scope({"steps": 5}, outputs={"before": Outputs({"out": "x"})})

    found = task_inputs(task(**given), component(run=STRING, steps=INTEGER, made=STRING), scope, RUN)

    assert found.parameters == {"run": "1234", "steps": 5, "made": "x"}


def test_what_is_not_given_has_its_default_or_is_left_out() -> None:
    declared = component(steps={**INTEGER, "defaultValue": 7, "isOptional": True}, word={**STRING, "isOptional": True})

    assert task_inputs(task(), declared, Scope(), RUN).parameters == {"steps": 7}


def test_an_optional_parameter_of_the_pipeline_without_a_value_is_left_out() -> None:
    declared = component(word={**STRING, "isOptional": True})

    found = task_inputs(task(word={"componentInputParameter": "word"}), declared, Scope({"word": None}), RUN)

    assert found.parameters == {}


def test_a_parameter_that_is_missing() -> None:
    with pytest.raises(RunError, match="lacks an input parameter"):
        task_inputs(task(), component(word=STRING), Scope(), RUN)


def test_the_status_of_the_task_before() -> None:
    given = {"status": {"taskFinalStatus": {"producerTask": "handler"}}}
    declared = component(status={"parameterType": "TASK_FINAL_STATUS", "isOptional": True})

    found = task_inputs(task(("handler",), **given), declared, Scope(states={"handler": "FAILED"}), RUN)

    assert found.parameters["status"] == {
        "state": "FAILED",
        "pipelineTaskName": "handler",
        "pipelineJobResourceName": "p-12",
        "error": {},
    }


@pytest.mark.parametrize(
    ("value", "kind", "expected"),
    [(3.0, "STRING", "3"), ([1.0], "STRING", "[1]"), (3.0, "NUMBER_INTEGER", 3.0), (True, "BOOLEAN", True)],
)
def test_a_value_that_fits(value: Any, kind: str, expected: Any) -> None:
    assert typed(value, KINDS.Value(kind), "t") == expected


@pytest.mark.parametrize(
    ("value", "kind"),
    [("3", "NUMBER_INTEGER"), (3.5, "NUMBER_INTEGER"), (True, "NUMBER_DOUBLE"), (1, "BOOLEAN"), ({}, "LIST")],
)
def test_a_value_that_does_not_fit(value: Any, kind: str) -> None:
    with pytest.raises(RunError, match=f"The value is no {kind}"):
        typed(value, KINDS.Value(kind), "t")


def test_texts_of_output_parameters() -> None:
    assert parameter_value("7", KINDS.Value("NUMBER_INTEGER")) == 7
    assert parameter_value("7", KINDS.Value("STRING")) == "7"
    with pytest.raises(ValueError, match="Expecting value"):
        parameter_value("", KINDS.Value("NUMBER_INTEGER"))


def test_artifacts_are_below_the_runs_root() -> None:
    artifacts = {"artifacts": {"page": {"artifactType": {"schemaTitle": "system.HTML", "schemaVersion": "0.0.1"}}}}

    found = executor_input(Outputs(), component(artifacts), "t", "minio://bucket/root")

    (page,) = found["outputs"]["artifacts"]["page"]["artifacts"]
    folder = page["uri"].rpartition("/")[0]
    assert folder.startswith("minio://bucket/root/t/")
    assert page["path"] == f"/minio/{folder.removeprefix('minio://')}/page"
    assert found["outputs"]["outputFile"] == f"/minio/{folder.removeprefix('minio://')}/output_metadata.json"


def test_a_root_without_a_local_path_is_fine_without_artifacts() -> None:
    assert executor_input(Outputs(), component(), "t", "hdfs://x")["outputs"]["outputFile"].startswith("/tmp/")


@pytest.mark.parametrize(
    ("uri", "path"), [("s3://b/x", "/s3/b/x"), ("gs://b/x", "/gcs/b/x"), ("hdfs://b/x", None), ("/x", None)]
)
def test_where_the_launcher_shows_an_object(uri: str, path: str | None) -> None:
    assert local_path(uri) == path


@pytest.mark.parametrize(
    ("entry", "name"),
    [
        ({"pvcNameParameter": {"runtimeValue": {"constant": "data"}}, "mountPath": "/mnt"}, "data"),  # kfp-kubernetes 2
        ({"secretNameParameter": {"componentInputParameter": "secret"}}, "mine"),
        ({"taskOutputParameter": {"producerTask": "make", "outputParameterKey": "name"}, "mountPath": "/mnt"}, "made"),
    ],
)
def test_names_that_are_inputs(entry: dict[str, Any], name: str) -> None:
    scope = Scope({"secret": "mine"}, outputs={"make": Outputs({"name": "made"})})

    assert dynamic_name(entry, scope, RUN, "t") == name


def test_an_entry_without_a_name() -> None:
    with pytest.raises(RunError, match="has no name"):
        dynamic_name({"mountPath": "/mnt"}, Scope(), RUN, "t")
