"""The manifests of deploy/kubernetes as they are written; tests/integration/kubernetes applies them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from distribution.kubernetes.permissions import NAME, launcher_role

FOLDER = Path(__file__).parents[3] / "deploy" / "kubernetes"


def documents(path: Path) -> list[dict[str, Any]]:
    return [document for document in yaml.safe_load_all(path.read_text()) if document]


def kustomization(folder: Path) -> dict[str, Any]:
    (found,) = documents(folder / "kustomization.yaml")
    return found


WHOLE = [FOLDER / "base" / name for name in kustomization(FOLDER / "base")["resources"]]
WHOLE += [FOLDER / "overlays" / name / "namespace.yaml" for name in ("small", "production")]
WHOLE += [FOLDER / "overlays" / "production" / "quota.yaml"]


@pytest.mark.parametrize("path", WHOLE, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_each_object_is_valid(path: Path) -> None:
    found = documents(path)
    assert found
    for document in found:
        kubernetes_validate.validate(document, "1.32", strict=True)


def test_every_file_is_part_of_a_kustomization() -> None:
    for folder in (FOLDER / "base", FOLDER / "overlays" / "small", FOLDER / "overlays" / "production"):
        given = kustomization(folder)
        named = {*given["resources"], *(patch["path"] for patch in given.get("patches", ()) if "path" in patch)}
        named |= {file for generator in given.get("configMapGenerator", ()) for file in generator["files"]}
        assert {path.name for path in folder.iterdir()} == {"kustomization.yaml", *named - {"../../base"}}


def test_nodes_may_do_what_the_launcher_needs_and_no_more() -> None:
    wanted, binding = launcher_role("pipelines", "system:serviceaccount:pipelines:pipeline")
    role, bound = documents(FOLDER / "base" / "launcher-role.yaml")
    assert role["rules"] == wanted["rules"]
    assert role["metadata"]["name"] == bound["roleRef"]["name"] == NAME
    # kustomize gives the subject its namespace.
    assert [{**subject, "namespace": "pipelines"} for subject in bound["subjects"]] == binding["subjects"]


def test_no_pod_runs_as_root_or_with_a_token_that_it_does_not_need() -> None:
    for name in ("metadata-store", "model-server"):
        (pod,) = [
            document["spec"]["template"]["spec"]
            for document in documents(FOLDER / "base" / f"{name}.yaml")
            if document["kind"] in ("Deployment", "StatefulSet")
        ]
        assert pod["automountServiceAccountToken"] is False
        assert pod["securityContext"]["runAsNonRoot"] is True
        for container in pod["containers"]:
            assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
            assert container["resources"]["requests"]
            assert ":" in container["image"]
            assert not container["image"].endswith(":latest")


def test_what_argo_and_kubeflow_put_into_the_pods_of_tasks_may_do_its_work() -> None:
    role, bound = documents(FOLDER / "base" / "kubeflow-role.yaml")
    assert bound["roleRef"]["name"] == role["metadata"]["name"]
    assert bound["subjects"] == [{"kind": "ServiceAccount", "name": "pipeline"}]
    allowed = {
        (group, resource, *rule.get("resourceNames", ())): rule["verbs"]
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
    }
    assert allowed == {
        ("argoproj.io", "workflowtaskresults"): ["create", "patch"],
        ("argoproj.io", "workflowtasksets"): ["list", "watch"],
        ("argoproj.io", "workflowtasksets/status"): ["patch"],
        ("", "pods"): ["get", "watch", "patch"],
        ("", "configmaps", "kfp-launcher"): ["get"],
        ("", "secrets", "mlpipeline-minio-artifact"): ["get"],
    }
