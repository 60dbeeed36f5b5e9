"""A real Kubernetes control plane with one test node, for as long as a test session; `make kubernetes` builds it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from deploy.control_plane import control_plane_folder, is_built, missing_tools
from distribution.free_ports import free_ports
from tests.integration.cluster import network
from tests.integration.servers.certificate import certificate

ROOT = Path(__file__).parents[3]
IMAGE = "scalable-tensorflow:test"
"""The image that the node has: this project, in the environment of the tests."""
_ADMIN = "admin-token"
_START_SECONDS = 120.0


def why_not() -> str | None:
    """What this machine lacks for a cluster."""
    if os.geteuid():
        return "the test cluster's node makes network namespaces, which only root may"
    missing = missing_tools(dict(os.environ))
    if missing:
        return f"{' and '.join(missing)} not installed: apt-get install etcd-server iproute2"
    if not is_built(control_plane_folder(dict(os.environ))):
        return "no Kubernetes control plane is built: make kubernetes"
    return None


@dataclass(frozen=True)
class KubernetesCluster:
    """A running cluster.

    Attributes:
        folder: holds the logs of its processes.
        server: URL of the API server, from this machine and from its pods.
        kubeconfig: file with which one may do everything.
    """

    folder: Path
    server: str
    kubeconfig: Path

    def kubeconfig_of(self, token: str, namespace: str = "default") -> Path:
        """A kubeconfig with another token."""
        path = self.folder / f"kubeconfig-{abs(hash((token, namespace)))}"
        path.write_text(_kubeconfig(self.server, self.folder / "certificate.pem", token, namespace))
        return path

    def logs(self) -> str:
        """The end of what its processes have said."""
        files = sorted(self.folder.glob("*.log"))
        return "\n".join(f"== {file.name}\n{file.read_text(errors='replace')[-3000:]}" for file in files)


@contextlib.contextmanager
def kubernetes_cluster() -> Iterator[KubernetesCluster]:
    """Starts one; all that it consists of goes at the end, also when this process is killed."""
    reason = why_not()
    if reason is not None:
        pytest.skip(reason)
    processes: list[subprocess.Popen[bytes]] = []
    with tempfile.TemporaryDirectory(prefix="stf-kubernetes-", dir="/tmp") as name:
        folder = Path(name)
        folder.chmod(0o755)
        try:
            yield _start(folder, processes)
        finally:
            for process in reversed(processes):
                process.send_signal(signal.SIGKILL)
                process.wait()


def _start(folder: Path, processes: list[subprocess.Popen[bytes]]) -> KubernetesCluster:
    def start(name: str, command: Sequence[str | Path], **options: Any) -> subprocess.Popen[bytes]:
        with (folder / f"{name}.log").open("wb") as log:
            # The kernel ends it with us, whatever we end of.
            whole = ["setpriv", "--pdeathsig", "KILL", *map(str, command)]
            given: dict[str, Any] = {"stdin": subprocess.DEVNULL, **options}
            process = subprocess.Popen(whole, stdout=log, stderr=log, cwd=folder, **given)
        processes.append(process)
        return process

    programs = Path(control_plane_folder(dict(os.environ)))
    subnet = network.free_subnet()
    # The node waits for its settings; its namespace must be there before the API server can listen on the link to it.
    node = start(
        "node",
        [
            "unshare",
            "--net",
            "sh",
            "-c",
            'read -r go && exec "$@"',
            "node",
            sys.executable,
            "-m",
            f"{__package__}.node",
            folder,
        ],
        stdin=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    _until(lambda: os.readlink(f"/proc/{node.pid}/ns/net") != os.readlink("/proc/self/ns/net"), node, folder)
    network.connect_node(subnet, node.pid)
    certificate(folder, subnet.gateway)
    _service_account_key(folder)
    (folder / "tokens.csv").write_text(f'{_ADMIN},admin,admin,"system:masters"\n')
    ports = dict(zip(("etcd", "peers", "api", "controllers", "scheduler"), free_ports(5), strict=True))
    server = f"https://{subnet.gateway}:{ports['api']}"
    kubeconfig = folder / "kubeconfig"
    kubeconfig.write_text(_kubeconfig(server, folder / "certificate.pem", _ADMIN, "default"))

    store = f"http://127.0.0.1:{ports['etcd']}"
    start(
        "etcd",
        ["etcd", "--data-dir", folder / "etcd", "--listen-client-urls", store, "--advertise-client-urls", store,
         "--listen-peer-urls", f"http://127.0.0.1:{ports['peers']}", "--unsafe-no-fsync"],
        env={**os.environ, "PATH": f"{os.environ['PATH']}:/usr/sbin"},
    )  # fmt: skip
    api = start(
        "kube-apiserver",
        [programs / "kube-apiserver", f"--etcd-servers={store}", f"--bind-address={subnet.gateway}",
         f"--secure-port={ports['api']}", f"--tls-cert-file={folder}/certificate.pem",
         f"--tls-private-key-file={folder}/key.pem", f"--cert-dir={folder}/certificates",
         "--service-account-issuer=https://kubernetes.default", f"--service-account-key-file={folder}/accounts.pub",
         f"--service-account-signing-key-file={folder}/accounts.key", "--service-cluster-ip-range=10.0.0.0/24",
         f"--token-auth-file={folder}/tokens.csv", "--authorization-mode=RBAC"],
    )  # fmt: skip
    _until(lambda: _ready(server, folder), api, folder)
    start(
        "kube-controller-manager",
        [programs / "kube-controller-manager", f"--kubeconfig={kubeconfig}", "--bind-address=127.0.0.1",
         f"--secure-port={ports['controllers']}", f"--service-account-private-key-file={folder}/accounts.key",
         f"--root-ca-file={folder}/certificate.pem", "--use-service-account-credentials", "--leader-elect=false",
         "--pvclaimbinder-sync-period=1s"],
    )  # fmt: skip
    start(
        "kube-scheduler",
        [programs / "kube-scheduler", f"--kubeconfig={kubeconfig}", "--bind-address=127.0.0.1",
         f"--secure-port={ports['scheduler']}", "--leader-elect=false"],
    )  # fmt: skip
    settings = {
        "kubeconfig": str(kubeconfig),
        "subnet": str(subnet.network),
        "server": [subnet.gateway, ports["api"]],
        "images": {IMAGE: _image()},
        "certificate": str(folder / "certificate.pem"),
        "key": str(folder / "key.pem"),
    }
    (folder / "node.json").write_text(json.dumps(settings))
    assert node.stdin is not None
    node.stdin.write(b"go\n")
    node.stdin.close()
    cluster = KubernetesCluster(folder, server, kubeconfig)
    _until(lambda: _usable(cluster), node, folder)
    return cluster


def _until(reached: Any, process: subprocess.Popen[bytes], folder: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while not reached():
        if process.poll() is not None or time.monotonic() > deadline:
            logs = "\n".join(
                f"== {log.name}\n{log.read_text(errors='replace')[-2000:]}" for log in folder.glob("*.log")
            )
            raise AssertionError(f"the test cluster does not start\n{logs}")
        time.sleep(0.1)


def _get(server: str, folder: Path, path: str) -> bytes | None:
    context = ssl.create_default_context(cafile=str(folder / "certificate.pem"))
    request = urllib.request.Request(server + path, headers={"Authorization": f"Bearer {_ADMIN}"})
    try:
        with urllib.request.urlopen(request, context=context) as answer:
            return bytes(answer.read())
    except (urllib.error.URLError, OSError):
        return None


def _ready(server: str, folder: Path) -> bool:
    return _get(server, folder, "/readyz") == b"ok"


def _usable(cluster: KubernetesCluster) -> bool:
    """Whether pods can be made and be scheduled."""
    account = _get(cluster.server, cluster.folder, "/api/v1/namespaces/default/serviceaccounts/default")
    bundle = _get(cluster.server, cluster.folder, "/api/v1/namespaces/default/configmaps/kube-root-ca.crt")
    nodes = json.loads(_get(cluster.server, cluster.folder, "/api/v1/nodes") or '{"items": []}')["items"]
    return bool(account and bundle and nodes) and not any(node["spec"].get("taints") for node in nodes)


def _service_account_key(folder: Path) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    (folder / "accounts.key").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
        )
    )
    (folder / "accounts.pub").write_bytes(
        key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )


def _kubeconfig(server: str, authority: Path, token: str, namespace: str) -> str:
    return yaml.safe_dump(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "test", "cluster": {"server": server, "certificate-authority": str(authority)}}],
            "users": [{"name": "user", "user": {"token": token}}],
            "contexts": [{"name": "test", "context": {"cluster": "test", "user": "user", "namespace": namespace}}],
            "current-context": "test",
        }
    )


def _image() -> dict[str, str]:
    kept = ("LANG", "PYTHONDONTWRITEBYTECODE", "TF_CPP_MIN_LOG_LEVEL", "TF_USE_LEGACY_KERAS")
    variables = {name: os.environ[name] for name in kept if name in os.environ}
    return {
        **variables,
        "PATH": f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin",
        "PYTHONPATH": str(ROOT),
        "PYTHONUNBUFFERED": "1",
    }
