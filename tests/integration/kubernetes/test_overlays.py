"""deploy/kubernetes, put together and applied by kubectl to a real control plane."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from deploy.control_plane import control_plane_folder
from distribution.kubernetes.api_server import ApiServer
from tests.integration.cluster.kubernetes_cluster import ROOT, KubernetesCluster
from tests.integration.kubernetes.launching import CORE, launch, post, training, use, wait_for

OVERLAYS = ROOT / "deploy" / "kubernetes" / "overlays"


def kubectl(*arguments: object, kubeconfig: Path | None = None) -> subprocess.CompletedProcess[str]:
    program = Path(control_plane_folder(dict(os.environ)), "kubectl")
    environment = {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent"}
    if kubeconfig is not None:
        environment["KUBECONFIG"] = str(kubeconfig)
    return subprocess.run([program, *map(str, arguments)], capture_output=True, text=True, env=environment, check=False)


def documents(folder: Path) -> list[dict[str, Any]]:
    done = kubectl("kustomize", folder)
    assert done.returncode == 0, done.stderr
    return list(yaml.safe_load_all(done.stdout))


@pytest.fixture
def overlay(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, str]:
    """An overlay, in a namespace of its own."""
    namespace = f"pipelines-{request.param}"
    given = {"namespace": namespace, "resources": [os.path.relpath(OVERLAYS / request.param, tmp_path)]}
    (tmp_path / "kustomization.yaml").write_text(yaml.safe_dump(given))
    return tmp_path, namespace


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """One that other users reach, as tmp_path is not."""
    with tempfile.TemporaryDirectory(prefix="stf-overlay-", dir="/tmp") as folder:
        yield Path(folder)


def token_of(api: ApiServer, namespace: str, account: str) -> str:
    wanted = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 3600}}
    path = f"{CORE}/namespaces/{namespace}/serviceaccounts/{account}/token"
    return str(api.json("POST", path, body=wanted)["status"]["token"])


@pytest.mark.parametrize("overlay", ["small", "production"], indirect=True)
def test_an_overlay_is_applied_and_its_pods_are_admitted(
    overlay: tuple[Path, str], kubernetes: KubernetesCluster, api: ApiServer
) -> None:
    folder, namespace = overlay
    for document in documents(folder):
        kubernetes_validate.validate(document, "1.32", strict=True)
    applied = kubectl("apply", "--server-side", "--validate=strict", "-k", folder, kubeconfig=kubernetes.kubeconfig)
    assert applied.returncode == 0, applied.stderr
    assert f"namespace/{namespace} serverside-applied\n" in applied.stdout
    again = kubectl("apply", "--server-side", "--validate=strict", "-k", folder, kubeconfig=kubernetes.kubeconfig)
    assert again.returncode == 0, again.stderr

    # The namespace enforces the Pod Security Standard "restricted": what it admits is made by the controllers.
    def pods() -> bool:
        found = api.json("GET", f"{CORE}/namespaces/{namespace}/pods")["items"]
        names = {pod["metadata"]["labels"]["app.kubernetes.io/name"] for pod in found}
        return names == {"metadata-store", "model-server"}

    wait_for(pods)


@pytest.mark.parametrize("overlay", ["small"], indirect=True)
def test_nodes_start_trainings_there_and_may_do_nothing_else(
    overlay: tuple[Path, str],
    kubernetes: KubernetesCluster,
    api: ApiServer,
    open_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder, namespace = overlay
    applied = kubectl("apply", "--server-side", "-k", folder, kubeconfig=kubernetes.kubeconfig)
    assert applied.returncode == 0, applied.stderr
    stored, mount = open_folder / "stored", open_folder / "mount"
    for place in (open_folder, stored, mount):
        place.mkdir(exist_ok=True)
        place.chmod(0o777)
    volume = {
        "accessModes": ["ReadWriteOnce"],
        "capacity": {"storage": "20Gi"},
        "hostPath": {"path": str(stored)},
        "claimRef": {"namespace": namespace, "name": "pipelines"},
    }
    post(api, f"{CORE}/persistentvolumes", "PersistentVolume", f"{namespace}-stored", spec=volume)
    kubeconfig = kubernetes.kubeconfig_of(token_of(api, namespace, "pipeline"), namespace)
    use(kubeconfig, monkeypatch)
    launch(
        training(
            "allowed",
            f"echo I am $STF_ROLE $JOB_COMPLETION_INDEX | tee {mount}/$JOB_COMPLETION_INDEX",
            namespace=namespace,
            service_account="training",
            user=1000,
            volumes=[{"claim": "pipelines", "mount": str(mount)}],
        )
    )
    assert "[worker-1] I am worker 1" in capsys.readouterr().out
    assert sorted(path.name for path in stored.iterdir()) == ["0", "1"]

    refused = [
        ("pipeline", "get", "secrets"),
        ("pipeline", "create", "pods"),
        ("pipeline", "get", "configmaps"),
        ("training", "get", "jobs"),
        ("model-server", "get", "pods"),
        ("metadata-store", "get", "secrets"),
    ]
    for account, verb, resource in refused:
        of = kubernetes.kubeconfig_of(token_of(api, namespace, account), namespace)
        if verb == "get":
            said = kubectl("get", resource, kubeconfig=of)
        else:
            said = kubectl("run", "intruder", "--image=any", kubeconfig=of)
        assert said.returncode != 0, (account, verb, resource)
        assert "Error from server (Forbidden)" in said.stderr, (account, verb, resource, said.stderr)
    allowed = kubectl("get", "jobs", kubeconfig=kubeconfig)
    assert allowed.returncode == 0, allowed.stderr
    elsewhere = kubectl("get", "jobs", "-n", "default", kubeconfig=kubeconfig)
    assert "Error from server (Forbidden)" in elsewhere.stderr
