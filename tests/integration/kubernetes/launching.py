"""Launches small trainings on the test cluster, and looks at what becomes of them."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from configs.kubernetes_pods import KubernetesPods
from distribution.kubernetes.api_server import ApiServer
from distribution.kubernetes.task_reports import TaskReports
from distribution.kubernetes.workload import Workload
from distribution.launchers.kubernetes import run_workload
from tests.integration.cluster.kubernetes_cluster import IMAGE, ROOT

CORE = "/api/v1"
DEFAULT = f"{CORE}/namespaces/default"
_INDEX = "batch.kubernetes.io/job-completion-index"
LAUNCHER = """
import json, sys
from configs.kubernetes_pods import KubernetesPods
from distribution.kubernetes.workload import Workload
from distribution.launchers.kubernetes import run_workload
from distribution.kubernetes.task_reports import TaskReports
fields = json.loads(sys.argv[1])
pods = KubernetesPods.model_validate(fields.pop("pods"))
workload = Workload(**{**fields, "command": tuple(fields["command"]), "pods": pods})
run_workload(workload, start_seconds=60.0, reports=TaskReports())
"""
# Says that it is there, and waits for its end; SIGTERM ends it as the product's tasks end.
STAY = "trap 'exit 75' TERM; echo here; while true; do sleep 0.1; done"


def training(
    name: str, script: str, tasks: dict[str, int] | None = None, *, restarts: int = 1, **pods: Any
) -> Workload:
    return Workload(
        name=name,
        tasks=tasks or {"worker": 2},
        command=("sh", "-c", script),
        pods=KubernetesPods.model_validate({"image": IMAGE, "pull_seconds": 0, **pods}),
        max_restarts=restarts,
        grace_seconds=5,
    )


def launch(
    workload: Workload,
    *,
    start_seconds: float = 60.0,
    reports: TaskReports | None = None,
) -> None:
    run_workload(workload, start_seconds=start_seconds, reports=reports or TaskReports())


@contextlib.contextmanager
def launcher_process(workload: Workload, kubeconfig: Path) -> Iterator[subprocess.Popen[str]]:
    fields = {**vars(workload), "pods": workload.pods.model_dump(mode="json")}
    process = subprocess.Popen(
        [sys.executable, "-c", LAUNCHER, json.dumps(fields)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={"KUBECONFIG": str(kubeconfig), "PATH": "/usr/bin:/bin"},
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def objects(api: ApiServer, kind: str, name: str) -> list[dict[str, Any]]:
    """The objects of a training."""
    group = "/apis/batch/v1" if kind == "jobs" else CORE
    query = {"labelSelector": f"scalable-tf/training={name}"}
    items: list[dict[str, Any]] = api.json("GET", f"{group}/namespaces/default/{kind}", query=query)["items"]
    return items


def everything(api: ApiServer, name: str) -> list[str]:
    """Names of all objects of a training."""
    return [item["metadata"]["name"] for kind in ("jobs", "pods", "services") for item in objects(api, kind, name)]


def running(api: ApiServer, name: str, role: str, index: int) -> str | None:
    """The name of a task's pod, once it runs."""
    for pod in objects(api, "pods", name):
        place = (pod["metadata"]["labels"]["scalable-tf/role"], pod["metadata"]["labels"][_INDEX])
        if place == (role, str(index)) and pod["status"]["phase"] == "Running":
            return str(pod["metadata"]["name"])
    return None


def wait_for(what: Callable[[], Any], seconds: float = 120.0) -> Any:
    """Until it is true; gives it."""
    deadline = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < deadline, "it does not come"
        time.sleep(0.05)
    return found


def process_of(command: str, *variables: str) -> int | None:
    """Process 1 of a pod, by its number on this machine.

    Args:
        command: part of its command line.
        variables: NAME=VALUE of its environment.
    """
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            numbers = next(line for line in (folder / "status").read_text().splitlines() if line.startswith("NSpid"))
            found = set((folder / "environ").read_text(errors="replace").split("\0"))
            if numbers.split()[2:] == ["1"] and command in (folder / "cmdline").read_text() and found >= set(variables):
                return int(folder.name)
    return None


@contextlib.contextmanager
def meanwhile(action: Callable[[], None]) -> Iterator[None]:
    """Does something beside the launcher, and fails with it."""
    failures: list[BaseException] = []

    def act() -> None:
        try:
            action()
        except BaseException as error:  # handed to the test
            failures.append(error)

    thread = threading.Thread(target=act)
    thread.start()
    try:
        yield
    finally:
        thread.join()
    assert not failures, failures


def post(api: ApiServer, path: str, kind: str, name: str, **fields: Any) -> None:
    """Makes an object of the core API."""
    api.json("POST", path, body={"apiVersion": "v1", "kind": kind, "metadata": {"name": name}, **fields})


def account(api: ApiServer, name: str) -> str:
    """Makes a service account, and gives a token of it."""
    post(api, f"{DEFAULT}/serviceaccounts", "ServiceAccount", name)
    wanted = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 3600}}
    token: str = api.json("POST", f"{DEFAULT}/serviceaccounts/{name}/token", body=wanted)["status"]["token"]
    return token


def apply(api: ApiServer, documents: list[dict[str, Any]]) -> None:
    """A Role and its RoleBinding, under a name of the account's."""
    role, binding = documents
    name = f"{role['metadata']['name']}-{binding['subjects'][0]['name']}"
    for document in documents:
        document["metadata"] = {"name": name}
    binding["roleRef"]["name"] = name
    group = "/apis/rbac.authorization.k8s.io/v1/namespaces/default"
    api.json("POST", f"{group}/roles", body=role)
    api.json("POST", f"{group}/rolebindings", body=binding)
    subject = binding["subjects"][0]
    wait_until_it_may_launch(api, subject["namespace"], subject["name"])


def wait_until_it_may_launch(api: ApiServer, namespace: str, account: str) -> None:
    """The API server goes by the roles that it has heard of, which it does a moment after they were made."""
    asked = {"namespace": namespace, "verb": "create", "group": "batch", "resource": "jobs"}
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "spec": {"user": f"system:serviceaccount:{namespace}:{account}", "resourceAttributes": asked},
    }
    reviews = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
    wait_for(lambda: api.json("POST", reviews, body=review)["status"]["allowed"])


def use(kubeconfig: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # The client reads KUBECONFIG when it is imported.
    monkeypatch.setattr("kubernetes.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION", str(kubeconfig))
