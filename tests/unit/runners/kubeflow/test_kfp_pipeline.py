from __future__ import annotations

import json
from typing import Any

import pytest

from runners.kubeflow.kfp_pipeline import kfp_documents
from tests.unit.runners.kubeflow.clusters import IMAGE, on_kfp

GRAPH = {"ExampleGen": [], "StatisticsGen": ["ExampleGen"], "Trainer": ["ExampleGen"], "Evaluator": ["Trainer"]}
RUN_ID = {"runtimeValue": {"constant": "{{$.pipeline_job_uuid}}"}}


@pytest.fixture(scope="module")
def documents() -> list[dict[str, Any]]:
    more = (
        "kubeflow.defaults={environment: {B: '2', A: '1'}, retries: {count: 0}}",
        "kubeflow.nodes={Trainer: {retries: {count: 3, seconds: 5}}}",
    )
    return kfp_documents(on_kfp("taxi", *more), GRAPH)


def tasks(documents: list[dict[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = documents[0]["components"]["comp-exit-handler-1"]["dag"]["tasks"]
    return found


def container(documents: list[dict[str, Any]], name: str) -> dict[str, Any]:
    found: dict[str, Any] = documents[0]["deploymentSpec"]["executors"][f"exec-{name}"]["container"]
    return found


def test_nodes_come_after_those_that_they_need_and_all_after_begin(documents: list[dict[str, Any]]) -> None:
    assert {name: task.get("dependentTasks") for name, task in tasks(documents).items()} == {
        "begin": None,
        "example-gen": ["begin"],
        "statistics-gen": ["example-gen"],
        "trainer": ["example-gen"],
        "evaluator": ["trainer"],
    }


def test_nothing_comes_from_kubeflows_cache(documents: list[dict[str, Any]]) -> None:
    everything = [*tasks(documents).values(), documents[0]["root"]["dag"]["tasks"]["end"]]
    assert [task["cachingOptions"] for task in everything] == [{}] * 6


def test_the_end_comes_whatever_happened_and_is_told_how(documents: list[dict[str, Any]]) -> None:
    end = documents[0]["root"]["dag"]["tasks"]["end"]
    assert end["dependentTasks"] == ["exit-handler-1"]
    assert end["triggerPolicy"] == {"strategy": "ALL_UPSTREAM_TASKS_COMPLETED"}
    assert end["inputs"]["parameters"] == {
        "run_id": RUN_ID,
        "settings": {"componentInputParameter": "settings"},
        "status": {"taskFinalStatus": {"producerTask": "exit-handler-1"}},
    }


def test_a_container_calls_our_entry_point_with_the_run_and_the_settings(documents: list[dict[str, Any]]) -> None:
    trainer = container(documents, "trainer")
    assert trainer["image"] == IMAGE
    assert trainer["command"] == ["scalable-tf", "kubeflow", "task", "run"]
    assert trainer["args"] == [
        *("--node", "Trainer"),
        *("--run-id", "{{$.inputs.parameters['run_id']}}"),
        *("--settings", "{{$.inputs.parameters['settings']}}"),
        *("--report", "{{$.outputs.artifacts['report'].path}}"),
    ]
    assert trainer["env"] == [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]
    assert tasks(documents)["trainer"]["inputs"]["parameters"]["run_id"] == RUN_ID


def test_begin_is_told_what_was_compiled(documents: list[dict[str, Any]]) -> None:
    begin = container(documents, "begin")["args"]
    compiled = json.loads(begin[begin.index("--compiled") + 1])
    assert compiled["kubeflow.image"] == IMAGE
    assert compiled["kubeflow.nodes.Trainer.retries.seconds"] == 5
    assert compiled["the graph: Evaluator"] == ["Trainer"]


def test_what_is_shown_of_single_nodes(documents: list[dict[str, Any]]) -> None:
    def shown(name: str) -> dict[str, str]:
        artifacts = documents[0]["components"][f"comp-{name}"]["outputDefinitions"]["artifacts"]
        return {key: artifact["artifactType"]["schemaTitle"] for key, artifact in artifacts.items()}

    assert shown("trainer") == {"report": "system.Markdown"}
    assert shown("statistics-gen") == {"report": "system.Markdown", "page": "system.HTML"}
    assert shown("evaluator") == {"report": "system.Markdown", "metrics": "system.Metrics"}
    assert container(documents, "evaluator")["args"][2:4] == ["--executor-input", "{{$}}"]


def test_parameters_have_defaults(documents: list[dict[str, Any]]) -> None:
    parameters = documents[0]["root"]["inputDefinitions"]["parameters"]
    assert {name: parameters[name]["parameterType"] for name in parameters} == {
        "settings": "STRING",
        "span": "NUMBER_INTEGER",
        "steps": "NUMBER_INTEGER",
        "window": "NUMBER_INTEGER",
    }
    assert [parameters[name]["defaultValue"] for name in ("span", "steps", "window")] == [-1, 0, 0]
    assert parameters["settings"]["defaultValue"].startswith('{"name":"taxi"')


def test_retries_are_those_of_the_settings(documents: list[dict[str, Any]]) -> None:
    assert tasks(documents)["trainer"]["retryPolicy"] == {
        "maxRetryCount": 3,
        "backoffDuration": "5s",
        "backoffFactor": 2,
        "backoffMaxDuration": "600s",
    }
    assert "retryPolicy" not in tasks(documents)["example-gen"]


def test_every_task_mounts_the_volume_and_gets_the_password(documents: list[dict[str, Any]]) -> None:
    executors = documents[1]["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
    assert sorted(executors) == sorted(documents[0]["deploymentSpec"]["executors"])
    for config in executors.values():
        assert config["pvcMount"] == [{"constant": "stf", "mountPath": "/mnt/stf"}]
        assert config["secretAsEnv"][0]["keyToEnv"] == [{"secretKey": "password", "envVar": "DB_PASSWORD"}]
