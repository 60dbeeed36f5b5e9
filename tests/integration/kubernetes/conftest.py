"""One cluster for all tests of this folder."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest
from kubernetes import client, config

from distribution.kubernetes.api_server import ApiServer
from tests.integration.cluster.kubernetes_cluster import KubernetesCluster, kubernetes_cluster
from tests.integration.kubernetes.launching import use


@pytest.fixture(scope="session")
def kubernetes() -> Iterator[KubernetesCluster]:
    """A real control plane with one test node."""
    with kubernetes_cluster() as cluster:
        yield cluster


@pytest.fixture(scope="session")
def api(kubernetes: KubernetesCluster) -> Iterator[ApiServer]:
    """May do everything."""
    settings = client.Configuration()
    config.load_kube_config(str(kubernetes.kubeconfig), client_configuration=settings)
    with contextlib.closing(ApiServer(settings)) as server:
        yield server


@pytest.fixture(autouse=True)
def _kubeconfig(kubernetes: KubernetesCluster, monkeypatch: pytest.MonkeyPatch) -> None:
    use(kubernetes.kubeconfig, monkeypatch)
