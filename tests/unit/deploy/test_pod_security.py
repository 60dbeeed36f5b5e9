"""Every kind of pod that is ours is admitted where a namespace enforces the Pod Security Standard "restricted"."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from configs.kubeflow import Kubeflow
from configs.load import load_settings
from distribution.kubernetes.manifests import manifests
from runners.kubeflow.task_platform import pod
from runners.schedule.cron_job import cron_job
from tests.unit.deploy.pod_security import violations
from tests.unit.distribution.kubernetes.workloads import multi_worker, parameter_server
from tests.unit.runners.schedule.test_cron_job import SETTINGS

BASE = Path(__file__).parents[3] / "deploy" / "kubernetes" / "base"
CLAIM = {"volumes": [{"claim": "pipelines", "mount": "/srv"}], "shared_memory": "1Gi"}


def pods(value: Any) -> Iterator[dict[str, Any]]:
    """The specs of all pods in an object, wherever its kind has them."""
    if isinstance(value, dict):
        if "containers" in value:
            yield value
        for child in value.values():
            yield from pods(child)
    elif isinstance(value, list):
        for child in value:
            yield from pods(child)


def deployed() -> dict[str, dict[str, Any]]:
    found = {}
    for file in sorted(BASE.glob("*.yaml")):
        for document in yaml.safe_load_all(file.read_text()):
            for spec in pods(document):
                found[document["metadata"]["name"]] = spec
    return found


def test_what_is_deployed() -> None:
    assert {name: violations(spec) for name, spec in deployed().items()} == {"metadata-store": [], "model-server": []}


@pytest.mark.parametrize("kind", ["jobs", "jobset", "tfjob"])
def test_tasks_of_a_training_that_name_their_user(kind: str) -> None:
    for workload in (multi_worker(user=1000, manifests=kind, **CLAIM), parameter_server(user=1000, manifests=kind)):
        found = list(pods(manifests(workload)))
        assert found
        assert [violations(spec) for spec in found] == [[]] * len(found)


def test_the_pass_of_a_schedule_that_names_its_user(tmp_path: Path) -> None:
    file = tmp_path / "settings.yaml"
    file.write_text(SETTINGS)
    settings = load_settings([file], ["schedule.kubernetes.user=1000"], {})
    (spec,) = pods(cron_job(settings, [file], []))
    assert violations(spec) == []


def on_kubeflow(kubeflow: Kubeflow) -> dict[str, Any]:
    """The pod of a task, as newer servers make it: they add the rest, but leave it to the task not to be root.

    Source: backend/src/v2/compiler/argocompiler/security_context.go, kubeflow/pipelines.
    """
    added = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    own = pod(kubeflow, "Trainer", "/srv/out").get("securityContext", {})
    return {
        "securityContext": {"seccompProfile": {"type": "RuntimeDefault"}},
        "initContainers": [{"name": "kfp-launcher", "securityContext": {**added, "runAsNonRoot": True}}],
        "containers": [{"name": "main", "securityContext": {**added, **own}}],
    }


def test_a_task_on_kubeflow_that_names_its_user() -> None:
    assert violations(on_kubeflow(Kubeflow())) == ["main: runAsNonRoot"]
    assert violations(on_kubeflow(Kubeflow(user=1000))) == []


@pytest.mark.parametrize(
    ("change", "refused"),
    [
        ({"hostNetwork": True}, "hostNetwork"),
        ({"securityContext": {"seccompProfile": {"type": "RuntimeDefault"}}}, "serving: runAsNonRoot"),
        ({"securityContext": {"runAsNonRoot": True}}, "serving: seccompProfile"),
        ({"volumes": [{"name": "x", "hostPath": {"path": "/"}}]}, "volume hostPath"),
    ],
)
def test_a_pod_that_would_be_refused(change: dict[str, Any], refused: str) -> None:
    assert violations({**deployed()["model-server"], **change}) == [refused]


@pytest.mark.parametrize("field", ["allowPrivilegeEscalation", "capabilities"])
def test_a_container_that_would_be_refused(field: str) -> None:
    spec = copy.deepcopy(deployed()["model-server"])
    del spec["containers"][0]["securityContext"][field]
    assert violations(spec) == [f"serving: {field}"]
