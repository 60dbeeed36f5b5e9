"""kill -9 at random moments in every node, then --resume: the same release as that of an undisturbed run, once.

Each series takes one run through all of its nodes. In each node something is killed: the runner, or only the node's
own process; then the run is resumed under its id, until it is complete. A longer version: `--kill-series 30`.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import re
import signal
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from ml_metadata import MetadataStore
from ml_metadata.proto import metadata_store_pb2

from tests.integration.command_server import Command, CommandServer, is_gone, wait_until_gone
from tests.integration.trips import write_trips

NODES = (
    *("ExampleGen", "StatisticsGen", "SchemaGen", "ExampleValidator", "AnomalyGate", "Transform"),
    *("Trainer", "LatestBlessed", "Evaluator", "Pusher"),
)
TARGETS = (*NODES, "Trainer", "Pusher")
"""What is aimed at, in the order of the pipeline; the two that have most to lose twice."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "series" in metafunc.fixturenames:
        metafunc.parametrize("series", range(metafunc.config.getoption("--kill-series")))


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_trips(tmp_path_factory.mktemp("trips"))


@pytest.fixture(scope="module")
def undisturbed(commands: CommandServer, settings: Path) -> tuple[Path, dict[str, float]]:
    """The output of a run that nothing happened to, and how long each node took."""
    command = commands.run(["run", "-c", str(settings)])
    assert command.wait() == 0, command.text
    seconds = {node: float(text) for node, text in re.findall(r"^  (\w+) +complete +([\d.]+) s", command.text, re.M)}
    assert seconds.keys() == set(NODES)
    return settings.parent / "output", seconds


def test_the_release_is_that_of_an_undisturbed_run(
    series: int, commands: CommandServer, settings: Path, undisturbed: tuple[Path, dict[str, float]], tmp_path: Path
) -> None:
    expected, seconds = undisturbed
    numbers = random.Random(series)
    output = tmp_path / "output"
    kills: list[str] = []
    for node in sorted(TARGETS, key=NODES.index):
        this, later = NODES[NODES.index(node) :], NODES[NODES.index(node) + 1 :]
        logged, logged_later = size_of_logs(this, output), size_of_logs(later, output)
        command = start(commands, settings, output, resumed=bool(kills))
        while not is_gone(command.pid) and size_of_logs(this, output) == logged:
            time.sleep(0.002)
        moment = time.monotonic() + numbers.uniform(0, seconds[node])
        while time.monotonic() < moment and size_of_logs(later, output) == logged_later:
            time.sleep(0.002)
        if kill_something(command, numbers):
            kills.append(node)
    for _ in range(3):  # what was aimed at one node may have hit none
        command = start(commands, settings, output, resumed=bool(kills))
        if command.wait() == 0:
            break
    assert command.wait() == 0, command.text

    # What comes after the Trainer takes a moment: the run may be over before the kill.
    assert {*NODES[: NODES.index("Trainer") + 1]} <= {*kills}, kills
    assert [path.name for path in runs(output)] == [run_id(command)]
    assert [path.name for path in (output / "releases/trips").iterdir() if path.is_dir()] == ["1"]
    assert comparable(output) == comparable(expected)
    assert open_executions(output) == []


def start(commands: CommandServer, settings: Path, output: Path, *, resumed: bool) -> Command:
    """Starts the run, or takes it up where it got as far as the store."""
    known = ["--resume"] if resumed and (output / "metadata/metadata.sqlite").exists() else []
    return commands.start(["run", "-c", str(settings), "--set", f"output_dir={output}", *known])


def kill_something(command: Command, numbers: random.Random) -> bool:
    """Kills the runner or one of its workers; False when the run had come to its end all the same."""
    if is_gone(command.pid):
        command.wait()
        return False
    workers = [pid for pid in command.children() if not is_gone(pid)]
    victim = numbers.choice([command.pid, *workers])
    with contextlib.suppress(ProcessLookupError):  # a worker may have ended just now
        os.kill(victim, signal.SIGKILL)
    deadline = time.monotonic() + 10
    while not is_gone(command.pid) and " failed " not in command.text and time.monotonic() < deadline:
        time.sleep(0.01)
    if not is_gone(command.pid) and " failed " not in command.text:
        command.signal(signal.SIGKILL)  # the worker had done its work: the run goes on
    code = command.wait()
    assert wait_until_gone(workers) == []
    assert code in (0, 1, -signal.SIGKILL), command.text
    return code != 0  # 0: it was the last node's process, and had done its work


def size_of_logs(nodes: Sequence[str], output: Path) -> int:
    logs = (run / f"{node}.log" for run in runs(output) for node in nodes)
    return sum(log.stat().st_size for log in logs if log.exists())


def runs(output: Path) -> list[Path]:
    return [path for path in (output / "logs").glob("*-*") if path.is_dir() and not path.name.startswith(".")]


def run_id(command: Command) -> str:
    (found,) = re.findall(r"^Run (\S+) of trips", command.text, re.M)
    return found


def comparable(output: Path) -> dict[str, Any]:
    """What of a release does not depend on when and where it was made."""
    record: dict[str, Any] = json.loads((output / "releases/trips/1/release.json").read_text())
    kept = ("metrics", "fingerprints", "schema_hash", "spans", "blessing", "version")
    weights = {name: digest for name, digest in record["files"].items() if name.startswith(("variables/", "assets/"))}
    return {"files": weights, **{key: record[key] for key in kept}}


def open_executions(output: Path) -> list[str]:
    database = metadata_store_pb2.ConnectionConfig()
    database.sqlite.filename_uri = str(output / "metadata/metadata.sqlite")
    states = metadata_store_pb2.Execution
    running = (states.NEW, states.RUNNING)
    return [one.type for one in MetadataStore(database).get_executions() if one.last_known_state in running]
