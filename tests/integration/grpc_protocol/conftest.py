"""Models and servers of them that the tests of gRPC share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.command_server import CommandServer
from tests.integration.grpc_protocol.models import Models
from tests.integration.grpc_protocol.server import Server, serving
from tests.tiny_models import echo, half_plus


@pytest.fixture(scope="package")
def commands(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CommandServer]:
    server = CommandServer(tmp_path_factory.mktemp("commands"), ["serving.model_server"])
    yield server
    server.close()


@pytest.fixture(scope="package")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Models by name: `plus_<n>` answers x / 2 + n."""
    folder = tmp_path_factory.mktemp("exported")
    for number in range(1, 4):
        half_plus(folder / f"plus_{number}", float(number))
    echo(folder / "echo")
    return folder


@pytest.fixture
def models(tmp_path: Path, exported: Path) -> Models:
    return Models(tmp_path, exported)


@pytest.fixture(scope="package")
def running(commands: CommandServer, exported: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that no test changes."""
    models = Models(tmp_path_factory.mktemp("models"), exported)
    models.release(1)
    models.release(3)
    models.release(5, "echo", "echo")
    with serving(commands, models.option(), models.option("echo")) as server:
        yield server
        assert server.end() == 0
