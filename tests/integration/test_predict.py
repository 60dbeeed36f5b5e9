"""`scalable-tf predict` and `serve --ask` against the real server."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from serving.traffic_split import TrafficSplit, write_split
from tests.integration.command_server import Command, CommandServer, is_gone
from tests.tiny_models import echo

pytestmark = pytest.mark.slow
PAIRS = [{"long": 2**63 - 1, "unsigned": 2**64 - 1, "text": "a, ö", "pair": [1, 2.5], "more": 0}]
PAIRS += [{"long": -1, "unsigned": 0, "text": None, "pair": [-1, float("inf")]}]
EXPECTED = [
    {"long": 2**63 - 1, "pair": [1.0, 2.5], "rows": 2, "text": "a, ö", "unsigned": 2**64 - 1},
    {"long": -1, "pair": [-1.0, float("inf")], "rows": 2, "text": "", "unsigned": 0},
]


@dataclass(frozen=True)
class Addresses:
    """Of a running server."""

    grpc: str
    rest: str


@pytest.fixture(scope="module")
def commands(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CommandServer]:
    server = CommandServer(
        tmp_path_factory.mktemp("commands"), ["serving.model_server", "serving.client.grpc_client", "httpx"]
    )
    yield server
    server.close()


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("echo")
    echo(folder / "7")
    return folder


@pytest.fixture(scope="module")
def server(commands: CommandServer, model: Path) -> Iterator[Addresses]:
    command = commands.start(["serve", "--model", f"echo={model}", "--grpc-port=0", "--rest-port=0"])
    yield Addresses(_told(command, "gRPC: "), _told(command, "REST: "))
    command.signal(signal.SIGTERM)
    assert command.wait() == 0, command.text


def _told(command: Command, what: str) -> str:
    while not is_gone(command.pid):
        for line in command.stdout.read_text().splitlines() if command.stdout.exists() else ():
            if line.startswith(what):
                return line.removeprefix(what)
        time.sleep(0.02)
    raise AssertionError(command.text)


@pytest.fixture(params=["rest", "grpc"])
def address(request: pytest.FixtureRequest, server: Addresses) -> list[str]:
    if request.param == "rest":
        return ["--url", f"{server.rest}/v1/models/echo"]
    return ["--grpc", server.grpc, "--model", "echo"]


def test_rows_keep_every_digit_and_letter(commands: CommandServer, address: list[str], tmp_path: Path) -> None:
    rows = tmp_path / "rows.jsonl"
    rows.write_text("".join(f"{json.dumps(row)}\n" for row in PAIRS))
    command = commands.run(["predict", *address, "--input", str(rows)])
    assert command.wait() == 0, command.text
    assert [json.loads(line) for line in command.stdout.read_text().splitlines()] == EXPECTED
    assert "note: not for the model, left out: more\n" in command.stderr.read_text()


def test_a_misspelt_column_is_told(commands: CommandServer, address: list[str], tmp_path: Path) -> None:
    rows = tmp_path / "rows.json"
    rows.write_text(json.dumps([{"TEX" if key == "text" else key: value for key, value in PAIRS[0].items()}]))
    command = commands.run(["predict", *address, "--input", str(rows)])
    assert command.wait() == 0, command.text
    assert "left out: TEX (or is it text?), more\n" in command.stderr.read_text()


def test_a_version_that_there_is_not(commands: CommandServer, address: list[str], tmp_path: Path) -> None:
    rows = tmp_path / "rows.json"
    rows.write_text(json.dumps(PAIRS))
    command = commands.run(["predict", *address, "--version", "8", "--input", str(rows)])
    assert command.wait() == 1
    assert "Specific(echo, 8)" in command.stderr.read_text()
    assert "The model has the versions 7." in command.stderr.read_text()
    assert command.stdout.read_text() == ""


def test_a_signature_by_name_in_several_requests(commands: CommandServer, address: list[str], tmp_path: Path) -> None:
    rows = tmp_path / "rows.csv"
    rows.write_text("divisor\n1\n5\n-4\n")
    command = commands.run(["predict", *address, "--signature", "divide", "--batch", "2", "--input", str(rows)])
    assert command.wait() == 0, command.text
    found = [json.loads(line)["quotient"] for line in command.stdout.read_text().splitlines()]
    assert found == [12, 2, -3]


def test_what_the_model_refuses_is_told(commands: CommandServer, address: list[str], tmp_path: Path) -> None:
    rows = tmp_path / "rows.csv"
    rows.write_text("divisor\n0\n")
    command = commands.run(["predict", *address, "--signature", "divide", "--input", str(rows)])
    assert command.wait() == 1
    assert "Integer division by zero" in command.stderr.read_text()


def test_the_folder_of_one_version_is_told(commands: CommandServer, model: Path) -> None:
    command = commands.start(["serve", "--model", f"echo={model / '7'}", "--grpc-port=0", "--rest-port=0"])
    _told(command, "REST: ")
    command.signal(signal.SIGTERM)
    assert command.wait() == 0, command.text
    assert f"or is it {model}?" in command.stderr.read_text()


def test_a_folder_without_versions_is_told(commands: CommandServer, model: Path) -> None:
    (model.parent / "wrong").mkdir()
    (model.parent / "wrong" / "echo").symlink_to(model)
    folder = model.parent / "wrong"
    command = commands.start(["serve", "--model", f"echo={folder}", "--grpc-port=0", "--rest-port=0"])
    _told(command, "REST: ")
    command.signal(signal.SIGTERM)
    assert command.wait() == 0, command.text
    assert f"note: no version of echo is in {folder} yet" in command.stderr.read_text()
    assert f"or is it {folder / 'echo'}?" in command.stderr.read_text()


def test_a_released_model_is_served_as_its_labels_say(commands: CommandServer, model: Path, tmp_path: Path) -> None:
    """Its newest version may be a canary that was rolled back."""
    folder, rows = tmp_path / "echo", tmp_path / "rows.jsonl"
    folder.mkdir()
    for version in ("6", "7"):
        (folder / version).symlink_to(model / "7")
    write_split(folder, TrafficSplit.nothing(6))
    rows.write_text(json.dumps(PAIRS[0]))
    ask = ["serve", "--model", f"echo={folder}", "--grpc-port=0", "--rest-port=0", "--ask", str(rows)]
    # Of what nobody has written there, the newest.
    for versions, answers in ("", 7), ("model_version_policy { specific { versions: 6 } }", 6):
        config = f'config {{ name: "echo" base_path: "/elsewhere" model_platform: "tensorflow" {versions} }}'
        (tmp_path / "models.config").write_text(f"model_config_list {{ {config} }}")
        command = commands.run(ask)
        assert command.wait() == 0, command.text
        assert f"echo, version {answers}, by REST and gRPC" in command.stdout.read_text()
        assert f"note: echo has the labels and versions that {tmp_path}/models.config says" in command.text
    (tmp_path / "models.config").write_text("model_config_list {")
    command = commands.run(ask)
    assert command.wait() == 1
    assert f"Where: {tmp_path}/models.config" in command.text


def test_serve_asks_its_models_and_ends(commands: CommandServer, model: Path, tmp_path: Path) -> None:
    rows = tmp_path / "rows.json"
    rows.write_text(json.dumps(PAIRS))
    command = commands.run(["serve", "--model", f"echo={model}", "--grpc-port=0", "--rest-port=0", "--ask", str(rows)])
    assert command.wait() == 0, command.text
    assert "echo, version 7, by REST and gRPC" in command.stdout.read_text()
    assert "9223372036854775807" in command.stdout.read_text()
