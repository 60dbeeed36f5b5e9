"""Job servers that die, are not there or say nothing, and runs that die before theirs."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from tests.integration.command_server import Command, CommandServer, is_gone, wait_until_gone
from tests.integration.engines.job_servers_of import job_servers_of
from tests.integration.servers.port import free_port
from tests.integration.trips import write_trips

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    return write_trips(tmp_path)


@pytest.fixture
def silent() -> Iterator[int]:
    """Port of something that listens, and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def started(commands: CommandServer, settings: Path, engine: Sequence[str], node: str) -> tuple[Command, list[int]]:
    """A run in the middle of a node's job, whose worker has begun, and its job server."""
    command = commands.start(["run", "-c", str(settings), *engine])
    wait_for(command, lambda: "Control channel established" in text_of(settings, node))
    servers = job_servers_of(settings.parent / "output")
    assert len(servers) == 1
    return command, servers


def wait_for(command: Command, condition: Callable[[], bool]) -> None:
    while not condition():
        assert not is_gone(command.pid), command.text
        time.sleep(0.02)


def text_of(settings: Path, node: str) -> str:
    return "".join(log.read_text() for log in settings.parent.glob(f"output/logs/*/{node}.log"))


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM], ids=["SIGKILL", "SIGTERM"])
def test_the_job_server_of_a_run_ends_with_it(
    number: signal.Signals, flink: str, commands: CommandServer, settings: Path
) -> None:
    command, servers = started(commands, settings, ["--engine", flink], "ExampleGen")
    command.signal(number)
    assert command.wait() != 0
    assert wait_until_gone(servers) == []
    assert job_servers_of(settings.parent) == []


def test_a_node_whose_job_server_dies_fails_and_is_done_when_the_run_is_resumed(
    flink: str, commands: CommandServer, settings: Path
) -> None:
    nodes = ["--set", f"engine.nodes={{StatisticsGen: {flink}}}"]
    command, (server,) = started(commands, settings, nodes, "StatisticsGen")
    os.kill(server, signal.SIGKILL)
    assert command.wait() == 1, command.text
    assert "StatisticsGen failed.\nThe job server of the engine was lost in the middle of a job.\n" in command.text
    assert "Where: engine.flink.address\n" in command.text

    resumed = commands.run(["run", "-c", str(settings), *nodes, "--resume"])
    assert resumed.wait() == 0, resumed.text
    assert (settings.parent / "output/releases/trips/1").is_dir()
    assert job_servers_of(settings.parent) == []


def test_a_port_where_nothing_listens(flink: str, commands: CommandServer, settings: Path) -> None:
    address = f"127.0.0.1:{free_port()}"
    command = commands.run(["run", "-c", str(settings), "--engine", flink, "--set", f"engine.flink.address={address}"])
    assert command.wait() == 1
    assert "ExampleGen failed.\nThe job server of the engine does not answer.\n" in command.text
    assert f"Received: {address}: UNAVAILABLE, " in command.text


def test_a_port_where_something_else_listens(flink: str, commands: CommandServer, settings: Path, silent: int) -> None:
    address = f"127.0.0.1:{silent}"
    given = ["--set", f"engine.flink.address={address}", "--set", "engine.flink.timeout_seconds=2"]
    command = commands.run(["run", "-c", str(settings), "--engine", flink, *given])
    assert command.wait() == 1
    assert "ExampleGen failed.\nThe job server of the engine does not answer.\n" in command.text
    assert f"Received: {address}: DEADLINE_EXCEEDED, " in command.text


def test_too_little_memory(flink: str, commands: CommandServer, settings: Path) -> None:
    given = ["--set", "engine.flink.memory_mb=256", "--set", "engine.flink.network_mb=4000"]
    command = commands.run(["run", "-c", str(settings), "--engine", flink, *given])
    assert command.wait() == 1
    assert "ExampleGen failed.\nThe engine has too little memory.\n" in command.text
    assert "java.lang.OutOfMemoryError" in command.text
