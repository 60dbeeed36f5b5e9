"""deploy/kubernetes, put together and applied by kubectl to a real control plane."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import kubernetes_validate
import pytest
import yaml

from deploy.control_plane import control_plane_folder
from distribution.kubernetes.api_server import ApiServer
from serving.blessing import Blessing
from serving.change_request import ChangeRequest
from serving.client.rest_client import RestClient
from serving.labels import Labels
from serving.release import Provenance
from tests.integration.cluster.kubernetes_cluster import IMAGE, ROOT, KubernetesCluster
from tests.integration.kubernetes.launching import (
    CORE,
    launch,
    post,
    training,
    use,
    wait_for,
    wait_until_it_may_launch,
)
from tests.tiny_models import half_plus

OVERLAYS = ROOT / "deploy" / "kubernetes" / "overlays"
COMPONENTS = {
    "small-labels": ["labels"],
    "small-embedded": ["embedded-server"],
    "small-tls": ["embedded-server", "embedded-tls"],
}
"""Overlays of these tests: `small` with components."""


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
    namespace, name = f"pipelines-{request.param}", request.param.partition("-")[0]
    given = {"namespace": namespace, "resources": [os.path.relpath(OVERLAYS / name, tmp_path)]}
    if components := COMPONENTS.get(request.param):
        folder = os.path.relpath(OVERLAYS.parent / "components", tmp_path)
        given["components"] = [f"{folder}/{component}" for component in components]
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


@pytest.mark.parametrize("overlay", ["small", "production", "small-labels", "small-tls"], indirect=True)
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
    wait_until_it_may_launch(api, namespace, "pipeline")
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


def as_on_this_machine(given: list[dict[str, Any]], pipelines: Path, config: Path) -> str:
    """With mounts that there are here, and the image of the tests.

    Only root may read this folder on many machines, and /tmp holds the folders that are mounted.
    """
    for document in given:
        if document["kind"] == "Deployment":
            pod = document["spec"]["template"]["spec"]
            del pod["securityContext"]["runAsUser"]
            pod["containers"][0]["image"] = IMAGE
            pod["containers"][0]["volumeMounts"] = pod["containers"][0]["volumeMounts"][:2]
    text = yaml.safe_dump_all(given)
    return text.replace("/srv/pipelines", str(pipelines)).replace("/etc/model-server", str(config))


@pytest.mark.parametrize("overlay", ["small-embedded"], indirect=True)
def test_the_embedded_server_serves_what_release_writes_and_follows_it(
    overlay: tuple[Path, str], kubernetes: KubernetesCluster, api: ApiServer, open_folder: Path
) -> None:
    folder, namespace = overlay
    stored, mount, config = (open_folder / name for name in ("stored", "mount", "config"))
    for place in (stored, mount, config):
        place.mkdir()
    labels = Labels(stored / "taxi/releases", "taxi")
    for version in (1, 2):
        provenance = Provenance(pipeline="taxi", run_id="run", spans=(version,), blessing=Blessing(blessed=True))
        labels.store.publish(half_plus(open_folder / f"model-{version}", float(version)), provenance)
    labels.promote(1, ChangeRequest("ann", "vm", base_path=f"{mount}/taxi/releases/taxi"))
    volume = {
        "accessModes": ["ReadWriteOnce"],
        "capacity": {"storage": "20Gi"},
        "hostPath": {"path": str(stored)},
        "claimRef": {"namespace": namespace, "name": "pipelines"},
    }
    post(api, f"{CORE}/persistentvolumes", "PersistentVolume", f"{namespace}-stored", spec=volume)
    given = documents(folder)
    for document in given:
        kubernetes_validate.validate(document, "1.32", strict=True)
    (folder / "here.yaml").write_text(as_on_this_machine(given, mount, config))
    applied = kubectl(
        "apply", "--server-side", "--validate=strict", "-f", folder / "here.yaml", kubeconfig=kubernetes.kubeconfig
    )
    assert applied.returncode == 0, applied.stderr

    address: list[str] = []

    def runs() -> bool:
        selector = "app.kubernetes.io/name=model-server"
        found = api.json("GET", f"{CORE}/namespaces/{namespace}/pods?labelSelector={selector}")["items"]
        address[:] = [pod["status"]["podIP"] for pod in found if pod["status"].get("phase") == "Running"]
        return bool(address)

    wait_for(runs)
    url = f"http://{address[0]}:8501"

    def answers(label: str) -> set[float]:
        with RestClient(url, "taxi", label=label, timeout=60.0) as client:
            return {client.predict({"x": [[0.0]]}).outputs["y"].item() for _ in range(20)}

    wait_for(lambda: is_ready(url))
    assert answers("stable") == {1.0}
    server = ChangeRequest("ann", "vm", servers=(f"{address[0]}:8500",))
    labels.canary(2, server, 50.0)
    assert answers("stable") == {1.0, 2.0}
    # Nobody tells it: it reads the file.
    labels.end_canary(ChangeRequest("ann", "vm"), 2)
    wait_for(lambda: answers("canary") == {1.0})


def is_ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/readyz").is_success
    except httpx.HTTPError:
        return False
