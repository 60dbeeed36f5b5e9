"""A node of a test cluster: it does for pods what a kubelet does, with processes in namespaces in place of containers.

    python -m tests.integration.cluster.node FOLDER

FOLDER holds node.json: kubeconfig, subnet, server (host and port of the API), images (name: variables), and the files
of a certificate. What an image holds besides its variables is this machine's file system.

It does not have: several containers in a pod, restarts in place, probes, Services with an address, limits of resources.
"""

from __future__ import annotations

import base64
import contextlib
import datetime
import ipaddress
import json
import logging
import shutil
import signal
import sys
import threading
from pathlib import Path
from typing import Any

from kubernetes import client, config

from distribution.kubernetes.api_server import ApiError, ApiServer
from tests.integration.cluster import network
from tests.integration.cluster.log_server import Log, serve_logs
from tests.integration.cluster.mounts import Volumes, field
from tests.integration.cluster.pod_process import PodProcess
from tests.integration.cluster.watching import watch

NAME = "node"
MERGE = "application/strategic-merge-patch+json"
_HEARTBEAT_SECONDS = 5.0
_SIZE = {"cpu": "8", "memory": "16Gi", "pods": "50", "ephemeral-storage": "10Gi"}
_LOG = logging.getLogger("node")


def _now() -> str:
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def _as_user(spec: dict[str, Any]) -> list[str]:
    user = spec.get("securityContext", {}).get("runAsUser")
    return [] if user is None else ["setpriv", f"--reuid={user}", "--regid=0", "--clear-groups"]


class Pod:
    """One pod that the scheduler gave to the node."""

    def __init__(self, node: Node, pod: dict[str, Any]) -> None:
        self._node, self.pod = node, pod
        meta = pod["metadata"]
        self.name, self.namespace, self.uid = meta["name"], meta["namespace"], meta["uid"]
        self._path = f"/api/v1/namespaces/{self.namespace}/pods/{self.name}"
        self._container = pod["spec"]["containers"][0]
        self.folder = node.folder / "pods" / self.uid
        self.folder.mkdir(parents=True, mode=0o755)
        self.process: PodProcess | None = None
        self._address = next(node.addresses)
        self._started = _now()
        self._leaving = threading.Event()
        self._deleting = False
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self, pod: dict[str, Any]) -> None:
        """The API server wants it to go: SIGTERM, and SIGKILL when its grace is over."""
        if not self._deleting:
            self._deleting = True
            grace = pod["metadata"].get("deletionGracePeriodSeconds", 30)
            threading.Thread(target=self._stop, args=(grace,), daemon=True).start()

    def kill(self) -> None:
        """At once: the API server knows it no longer."""
        self._leaving.set()
        if self.process is not None:
            self.process.signal(signal.SIGKILL)

    def _stop(self, grace: float) -> None:
        self._leaving.set()
        if self.process is not None:
            self.process.signal(signal.SIGTERM)
        self._thread.join(grace)
        if self.process is not None:
            self.process.signal(signal.SIGKILL)
        self._thread.join()
        with contextlib.suppress(ApiError):
            options = {"gracePeriodSeconds": 0, "preconditions": {"uid": self.uid}}
            self._node.api.json("DELETE", self._path, body=options)

    def _run(self) -> None:
        try:
            self._start()
        except ApiError as error:
            if error.status != 404:  # else it was deleted meanwhile
                raise

    def _start(self) -> None:
        if self._container["image"] not in self._node.images:
            self._pull_in_vain()
            return
        spec = self.pod["spec"]
        hostname = spec.get("hostname", self.name)
        try:
            hosts = self._node.hosts.file(self.namespace, self._address, hostname, spec.get("subdomain"))
            binds = Volumes(self._node.api, self.folder).binds(self.pod)
            self.process = PodProcess(
                self.folder,
                [*_as_user(spec), *self._container["command"], *self._container.get("args", ())],
                self._environment(),
                hostname,
                self._node.subnet.of(self._address),
                [(str(hosts), "/etc/hosts", False), (str(self._node.resolver), "/etc/resolv.conf", True), *binds],
            )
        except (OSError, ApiError) as error:
            self._wait("CreateContainerError", str(error))
            return
        self._report("Running", {"running": {"startedAt": _now()}}, ready=True)
        code = self.process.wait()
        ended = {
            "exitCode": code,
            "reason": "Error" if code else "Completed",
            "startedAt": self._started,
            "finishedAt": _now(),
        }
        self._report("Failed" if code else "Succeeded", {"terminated": ended}, ready=False)

    def _pull_in_vain(self) -> None:
        image = self._container["image"]
        said = f'failed to pull and unpack image "{image}": not found'
        self._wait("ErrImagePull", said)
        self._wait("ImagePullBackOff", f'Back-off pulling image "{image}": ErrImagePull: {said}')

    def _wait(self, reason: str, message: str) -> None:
        if not self._leaving.is_set():
            self._report("Pending", {"waiting": {"reason": reason, "message": message}}, ready=False)

    def _environment(self) -> dict[str, str]:
        host, port = self._node.server
        variables = {"KUBERNETES_SERVICE_HOST": host, "KUBERNETES_SERVICE_PORT": str(port)}
        variables |= self._node.images[self._container["image"]]
        for source in self._container.get("envFrom", ()):
            held = self._node.secret(source["secretRef"]["name"], self.namespace)
            variables |= held
        status = {"podIP": self._address, "hostIP": self._node.subnet.node}
        for item in self._container.get("env", ()):
            if "value" in item or "valueFrom" not in item:
                variables[item["name"]] = item.get("value", "")
            elif "fieldRef" in item["valueFrom"]:
                variables[item["name"]] = field(
                    {**self.pod, "status": status}, item["valueFrom"]["fieldRef"]["fieldPath"]
                )
            else:
                wanted = item["valueFrom"]["secretKeyRef"]
                variables[item["name"]] = self._node.secret(wanted["name"], self.namespace)[wanted["key"]]
        return variables

    def _report(self, phase: str, state: dict[str, Any], *, ready: bool) -> None:
        # A strategic merge keeps what is not named, so the states that it has left are.
        states = {"waiting": None, "running": None, "terminated": None, **state}
        container = {
            "name": self._container["name"],
            "image": self._container["image"],
            "imageID": self._container["image"],
            "ready": ready,
            "started": ready,
            "restartCount": 0,
            "state": states,
        }
        conditions = [{"type": kind, "status": str(ready)} for kind in ("Ready", "ContainersReady")]
        conditions.append({"type": "Initialized", "status": "True"})
        addresses = {} if phase == "Pending" else {"podIP": self._address, "podIPs": [{"ip": self._address}]}
        status = {
            "phase": phase,
            "hostIP": self._node.subnet.node,
            "startTime": self._started,
            "containerStatuses": [container],
            "conditions": conditions,
            **addresses,
        }
        with contextlib.suppress(ApiError):
            body = {"metadata": {"uid": self.uid}, "status": status}
            self._node.api.json("PATCH", f"{self._path}/status", body=body, content_type=MERGE)


class Hosts:
    """What a cluster's DNS tells the pods, as their /etc/hosts: kept as the endpoints of headless Services change."""

    def __init__(self, folder: Path, api: ApiServer) -> None:
        self._folder, self._api = folder, api
        self._folder.mkdir()
        self._lock = threading.Lock()
        self._slices: dict[str, dict[str, Any]] = {}
        self._files: dict[Path, tuple[str, str]] = {}
        threading.Thread(target=self._follow, daemon=True).start()

    def file(self, namespace: str, address: str, hostname: str, subdomain: str | None) -> Path:
        """The file of a pod, which is written to in place."""
        own = f"{hostname}.{subdomain}.{namespace}.svc.cluster.local {hostname}" if subdomain else hostname
        path = self._folder / f"{namespace}-{address}"
        with self._lock:
            self._files[path] = (namespace, f"127.0.0.1 localhost\n{address} {own}\n")
            self._write(path)
        return path

    def _follow(self) -> None:
        for kind, item in watch(self._api, "/apis/discovery.k8s.io/v1/endpointslices"):
            with self._lock:
                uid = item["metadata"]["uid"]
                if kind == "DELETED":
                    self._slices.pop(uid, None)
                else:
                    self._slices[uid] = item
                for path, (namespace, _) in self._files.items():
                    if namespace == item["metadata"]["namespace"]:
                        self._write(path)

    def _write(self, path: Path) -> None:
        namespace, text = self._files[path]
        for item in self._slices.values():
            if item["metadata"]["namespace"] != namespace:
                continue
            service = item["metadata"]["labels"]["kubernetes.io/service-name"]
            for endpoint in item.get("endpoints") or ():
                if "hostname" in endpoint and endpoint["conditions"].get("ready"):
                    short = f"{endpoint['hostname']}.{service}"
                    text += f"{endpoint['addresses'][0]} {short} {short}.{namespace}.svc.cluster.local\n"
        # A pod may read it meanwhile: it is never empty.
        with path.open("r+" if path.exists() else "w") as file:
            file.write(text)
            file.truncate()


class Node:
    """The node: registers, reports that it is alive, and runs what is bound to it."""

    def __init__(self, folder: Path) -> None:
        settings = json.loads((folder / "node.json").read_text())
        configuration = client.Configuration()
        config.load_kube_config(settings["kubeconfig"], client_configuration=configuration)
        self.folder = folder
        self.api = ApiServer(configuration)
        self.server: tuple[str, int] = tuple(settings["server"])
        self.images: dict[str, dict[str, str]] = settings["images"]
        self.subnet = network.Subnet(ipaddress.IPv4Network(settings["subnet"]))
        self.addresses = self.subnet.pods()
        self.resolver = folder / "resolv.conf"
        self.resolver.write_text("search default.svc.cluster.local svc.cluster.local\noptions ndots:5\n")
        network.make_bridge(self.subnet)
        self.hosts = Hosts(folder / "hosts", self.api)
        self._pods: dict[str, Pod] = {}
        port = serve_logs(self.subnet.node, Path(settings["certificate"]), Path(settings["key"]), self._log)
        self._register(port)

    def secret(self, name: str, namespace: str) -> dict[str, str]:
        """The texts of a Secret."""
        held = self.api.json("GET", f"/api/v1/namespaces/{namespace}/secrets/{name}")
        return {key: base64.b64decode(value).decode() for key, value in held.get("data", {}).items()}

    def run(self) -> None:
        """Until the process is ended."""
        for kind, pod in watch(self.api, "/api/v1/pods", fieldSelector=f"spec.nodeName={NAME}"):
            uid = pod["metadata"]["uid"]
            if kind == "DELETED":
                gone = self._pods.pop(uid, None)
                if gone is not None:
                    gone.kill()
                    shutil.rmtree(gone.folder, ignore_errors=True)
            elif "deletionTimestamp" in pod["metadata"]:
                if uid in self._pods:
                    self._pods[uid].stop(pod)
                else:
                    Pod(self, pod).stop(pod)
            elif uid not in self._pods and pod["status"].get("phase") == "Pending":
                self._pods[uid] = Pod(self, pod)

    def _log(self, namespace: str, name: str) -> Log | None:
        for pod in list(self._pods.values()):
            if (pod.namespace, pod.name) == (namespace, name) and pod.process is not None:
                return pod.process.log, pod.process.running
        return None

    def _register(self, port: int) -> None:
        self.api.json(
            "POST",
            "/api/v1/nodes",
            body={
                "apiVersion": "v1",
                "kind": "Node",
                "metadata": {"name": NAME, "labels": {"kubernetes.io/hostname": NAME}},
            },
        )
        self._beat(port)
        threading.Thread(target=self._heart, args=(port,), daemon=True).start()

    def _heart(self, port: int) -> None:
        while True:
            threading.Event().wait(_HEARTBEAT_SECONDS)
            with contextlib.suppress(ApiError):
                self._beat(port)

    def _beat(self, port: int) -> None:
        ready = {"type": "Ready", "status": "True", "reason": "KubeletReady", "lastHeartbeatTime": _now()}
        status = {
            "capacity": _SIZE,
            "allocatable": _SIZE,
            "conditions": [ready],
            "addresses": [{"type": "InternalIP", "address": self.subnet.node}],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": port}},
        }
        self.api.json("PATCH", f"/api/v1/nodes/{NAME}/status", body={"status": status}, content_type=MERGE)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    Node(Path(sys.argv[1])).run()
