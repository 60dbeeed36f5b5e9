"""The server: our own, or with KFP_ENDPOINT a real one, which the tests that plan its failures do not take."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator

import pytest

from runners.kubeflow.service.api import PipelinesApi
from runners.kubeflow.service.credential import find_credential
from runners.kubeflow.service.transport import Patience
from runners.kubeflow.specification import Specification, read_specification
from tests.integration.command_server import CommandServer
from tests.integration.kubeflow_api.api_state import KubeflowApi
from tests.integration.kubeflow_api.pipelines import greeting
from tests.integration.kubeflow_api.server import kubeflow_api

QUICK = Patience(attempts=4, pause=0.01, longest=0.05)


@pytest.fixture
def server() -> Iterator[KubeflowApi]:
    """Our own, which can be told to fail."""
    with kubeflow_api() as running:
        yield running


@pytest.fixture
def local(server: KubeflowApi) -> PipelinesApi:
    """Connected to our own."""
    return PipelinesApi(server.url, patience=QUICK)


@pytest.fixture
def api(request: pytest.FixtureRequest) -> PipelinesApi:
    """Connected to the one that KFP_ENDPOINT names, else to our own."""
    endpoint = os.environ.get("KFP_ENDPOINT")
    if not endpoint:
        found: PipelinesApi = request.getfixturevalue("local")
        return found
    return PipelinesApi(endpoint, os.environ.get("KF_PIPELINES_NAMESPACE", ""), find_credential(os.environ, None, None))


@pytest.fixture(scope="module")
def specification(tmp_path_factory: pytest.TempPathFactory) -> Specification:
    """A compiled pipeline of a name that the server does not have yet."""
    return read_specification(greeting(tmp_path_factory.mktemp("compiled"), f"greeting-{uuid.uuid4().hex[:8]}"))


@pytest.fixture(scope="package")
def commands(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CommandServer]:
    """Starts `scalable-tf kubeflow` at once, without TensorFlow, which these commands do not use."""
    server = CommandServer(
        tmp_path_factory.mktemp("commands"),
        ["kfp", "runners.kubeflow.service.api", "runners.kubeflow.service.runs_text"],
    )
    yield server
    server.close()
