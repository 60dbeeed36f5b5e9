"""Labels under fire: many commands at once, and kill -9 at every step of a move."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from serving.audit_log import AuditLog
from serving.blessing import Blessing
from serving.change_request import ChangeRequest
from serving.labels import Labels
from serving.release import Provenance
from serving.releases import ReleaseStore
from serving.served_models import ServedModels, labels_of, protected_versions
from tests.integration.command_server import CommandServer

PROCESSES = 20
VERSIONS = 4


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Four versions; 1, 2 and 3 were stable, in this order."""
    source = tmp_path / "model"
    source.mkdir()
    (source / "saved_model.pb").write_bytes(b"graph")
    store = ReleaseStore(tmp_path / "releases", "taxi")
    for span in range(VERSIONS):
        store.publish(source, Provenance(pipeline="taxi", run_id="run", spans=(span,), blessing=Blessing(blessed=True)))
    for version in (1, 2, 3):
        Labels(tmp_path / "releases", "taxi").promote(version, ChangeRequest("ann", "vm", f"first {version}"))
    return tmp_path / "releases"


@pytest.fixture
def commands(tmp_path: Path) -> Iterator[CommandServer]:
    server = CommandServer(tmp_path, ["serving.labels", "runners.release_view"])
    yield server
    server.close()


def lines(root: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (root / "taxi/audit.jsonl").read_text().splitlines()]


def test_twenty_commands_at_once_lose_no_action(root: Path, commands: CommandServer) -> None:
    started = {}
    for number in range(PROCESSES):
        order = ["rollback"] if number % 3 == 2 else ["promote", str(number % VERSIONS + 1)]
        options = ["--releases", str(root), "--model", "taxi", "--reason", f"command {number}"]
        started[f"command {number}"] = commands.start(["release", *order, *options])
    done = {reason for reason, command in started.items() if command.wait() == 0}
    assert len(done) >= PROCESSES - PROCESSES // 3  # a rollback may find that there is nothing to go back to

    log = lines(root)
    assert sorted(line["why"] for line in log[3:]) == sorted(done)
    assert {line["outcome"] for line in log} == {"done"}
    assert [line["from"] for line in log[1:]] == [line["to"] for line in log[:-1]]
    config = ServedModels(root).config()
    assert labels_of(config, "taxi") == log[-1]["labels"] == {"stable": log[-1]["to"]}
    assert sorted(path.name for path in root.iterdir()) == [".lock", "models.config", "taxi"]


def killed_before_call(number: int, root: Path) -> bool:
    """Promotes version 4 in a child that dies before its `number`-th call. Returns whether it was killed."""
    pid = os.fork()
    if pid == 0:
        calls = 0

        def count(event: str, arguments: tuple[Any, ...]) -> None:
            nonlocal calls
            if any(isinstance(one, (str, os.PathLike)) and str(one).startswith(str(root)) for one in arguments):
                calls += 1
                if calls == number:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(count)
        try:
            Labels(root, "taxi").promote(4, ChangeRequest("bob", "vm", "killed"))
        except BaseException:
            os._exit(1)
        os._exit(0)
    status = os.waitpid(pid, 0)[1]
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
    return os.WIFSIGNALED(status)


def test_a_kill_at_any_step_leaves_a_config_that_works_and_a_log_that_tells_it(root: Path) -> None:
    labels, killed, outcomes = Labels(root, "taxi"), 0, set()
    while killed_before_call(killed + 1, root):
        killed += 1
        config = ServedModels(root).config()
        stable = labels_of(config, "taxi")["stable"]
        outcomes.add(stable)
        # Whatever has the label is loaded, and a rollback to what was stable needs nothing else.
        assert protected_versions(config, "taxi") >= {stable, 3}
        assert len(lines(root)) == len(labels.log.entries())

        labels.rollback(ChangeRequest("ann", "vm", "after the kill"), to=3)
        entries = labels.log.entries()
        assert entries[-1].before == stable
        assert entries[-1].labels == labels.current() == {"stable": 3}
        assert all(later.before == earlier.labels["stable"] for earlier, later in pairwise(entries))
        assert sorted(path.name for path in root.iterdir()) == [".lock", "models.config", "taxi"]
    assert killed > 10
    assert outcomes == {3, 4}  # killed before the label has moved, and after it
    assert labels.current() == {"stable": 4}
    assert AuditLog(root / "taxi").entries()[-1].why == "killed"
