from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest
import yaml

from configs.kubernetes_pods import KubernetesPods
from distribution.kubernetes.api_server import ApiError
from distribution.kubernetes.cluster_api import ClusterApi, connect
from schemas.errors import TrainingError


@pytest.fixture
def kubeconfig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file that the client reads."""
    path = tmp_path / "config"
    # The client reads KUBECONFIG when it is imported.
    monkeypatch.setattr("kubernetes.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION", str(path))
    return path


def write(path: Path, server: str = "https://127.0.0.1:1", **context: str) -> None:
    content: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "c", "cluster": {"server": server}}],
        "users": [{"name": "u", "user": {"token": "t"}}],
        "contexts": [
            {"name": "first", "context": {"cluster": "c", "user": "u", **context}},
            {"name": "second", "context": {"cluster": "c", "user": "u", "namespace": "two"}},
        ],
        "current-context": "first",
    }
    path.write_text(yaml.safe_dump(content))


def connected(**pods: Any) -> ClusterApi:
    return connect(KubernetesPods.model_validate(pods), connections=2)


def test_the_namespace_is_that_of_the_settings_then_of_the_context_then_the_default(kubeconfig: Path) -> None:
    write(kubeconfig, namespace="one")

    assert connected().namespace == "one"
    assert connected(namespace="mine").namespace == "mine"
    assert connected(context="second").namespace == "two"
    write(kubeconfig)
    assert connected().namespace == "default"


def test_no_kubeconfig(kubeconfig: Path) -> None:
    with pytest.raises(TrainingError, match="no way to a Kubernetes cluster") as raised:
        connected()

    assert "No configuration found" in str(raised.value.received)


def test_a_kubeconfig_that_is_no_yaml(kubeconfig: Path) -> None:
    kubeconfig.write_text("clusters: [")
    with pytest.raises(TrainingError, match="no way to a Kubernetes cluster"):
        connected()


def test_a_context_that_it_does_not_have(kubeconfig: Path) -> None:
    write(kubeconfig)
    with pytest.raises(TrainingError) as raised:
        connected(context="third")

    assert "third" in str(raised.value.received)


def test_a_server_that_does_not_answer_is_an_error_without_a_status(kubeconfig: Path) -> None:
    with socket.socket() as bound:  # and does not listen
        bound.bind(("127.0.0.1", 0))
        write(kubeconfig, f"https://127.0.0.1:{bound.getsockname()[1]}")
        with pytest.raises(ApiError) as raised:
            connected().jobs("a=b")

    assert raised.value.status == 0
