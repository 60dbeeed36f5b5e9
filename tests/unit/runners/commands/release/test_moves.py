"""Moves of labels: `release promote`, `canary` and `rollback`, with and without a server."""

from __future__ import annotations

import json
from pathlib import Path

from tests.unit.runners.commands.release.conftest import Run
from tests.unit.runners.commands.release.moved_labels import labels
from tests.unit.serving.prediction_server import Predictions


def test_what_a_move_prints_is_what_is_logged(run: Run, root: Path) -> None:
    run("promote", "1")
    code, out, _ = run("promote", "2", "--reason", "better")
    (line,) = (root / "taxi/audit.jsonl").read_text().splitlines()[1:]
    entry = json.loads(line)
    assert code == 0
    assert f"promote stable 1 -> 2 by {entry['who']} on {entry['host']}, why: better" in out


def test_rollback_is_one_command(run: Run, root: Path) -> None:
    run("promote", "1")
    run("promote", "2")
    assert run("rollback")[0] == 0
    assert labels(root) == {"stable": 1}
    run("rollback", "--to", "2")
    assert labels(root) == {"stable": 2}
    code, _, err = run("rollback", "--to", "9")
    assert code == 1
    assert "Received: 9" in err


def test_a_canary_and_its_end(run: Run, root: Path) -> None:
    run("promote", "1")
    assert ", 5 % of the live requests\n" in run("canary", "2", "--percent", "5")[1]
    assert labels(root) == {"stable": 1, "canary": 2}
    run("rollback", "--canary")
    assert labels(root) == {"stable": 1, "canary": 1}


def test_what_becomes_of_the_canary_when_stable_moves_is_said(run: Run) -> None:
    run("promote", "1")
    assert " canary none -> 2 by" in run("canary", "2")[1]
    assert " promote stable 1 -> 2 (canary is 2, too) by" in run("promote", "2")[1]
    assert " rollback stable 2 -> 1 (canary is 1, too) by" in run("rollback")[1]
    run("canary", "3", "--force", "x")
    assert " promote stable 1 -> 2 (canary stays 3, for its label only) by" in run("promote", "2")[1]


def test_a_version_that_is_not_blessed_needs_force(run: Run, root: Path) -> None:
    code, _, err = run("promote", "3")
    assert code == 1
    assert "Version 3 is not blessed" in err
    assert run("promote", "3", "--force", "the only one")[0] == 0
    assert labels(root) == {"stable": 3}


def test_a_move_is_told_to_a_server(run: Run, root: Path, predictions: Predictions) -> None:
    server = predictions.server
    assert run("promote", "2", "--server", server.address)[0] == 0
    assert server.labels["taxi"] == {"stable": 2}
    server.broken = {1}
    code, _, err = run("promote", "1", "--server", server.address)
    assert code == 1
    assert f"Where: {server.address}" in err
    assert server.labels["taxi"] == labels(root) == {"stable": 2}


def test_what_servers_will_have_is_said_before_they_are_told(run: Run, predictions: Predictions, root: Path) -> None:
    server = predictions.server
    _, _, err = run("promote", "2", "--server", server.address)
    assert f"note: {server.address} will serve taxi and no other model." in err
    _, _, err = run("canary", "1", "--server", server.address, "--keep", f"other={root / 'taxi'}")
    assert f"note: {server.address} will serve other, taxi and no other model." in err
    assert set(server.states["other"]) == {3}
    assert run("rollback", "--canary")[2].startswith("note: no server is told: one that runs goes on until it reads ")
