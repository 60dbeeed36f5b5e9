"""Runs that end before their end, through the command line: what is kept, what is said, and how they go on."""

from __future__ import annotations

import os
import re
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from tests.integration.command_server import Command, CommandServer, is_gone, wait_until_gone
from tests.integration.trips import write_trips

BEFORE_TRAINER = ["ExampleGen", "StatisticsGen", "SchemaGen", "ExampleValidator", "AnomalyGate", "Transform"]


@pytest.fixture(scope="module")
def whole(commands: CommandServer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Settings of a pipeline that has run once."""
    settings = write_trips(tmp_path_factory.mktemp("whole"))
    command = commands.run(["run", "-c", str(settings)])
    assert command.wait() == 0, command.text
    return settings


def states(command: Command) -> dict[str, str]:
    found = re.findall(r"^  (\w+) +(complete|cached|kept|failed|not run)\b", command.text, re.MULTILINE)
    return dict(found)


def run_ids(settings: Path) -> list[str]:
    return sorted(path.name for path in (settings.parent / "output/logs").iterdir() if path.is_dir())


def wait_for(node: str, settings: Path, command: Command) -> None:
    """Until a node has started."""
    while not list((settings.parent / "output/logs").glob(f"*/{node}.log")):
        assert not is_gone(command.pid), command.text
        time.sleep(0.005)


@pytest.mark.parametrize(
    ("number", "code", "runner"),
    [(signal.SIGINT, 130, "local"), (signal.SIGTERM, 143, "local"), (signal.SIGTERM, 143, "beam")],
    ids=["Ctrl-C", "SIGTERM", "SIGTERM of a walk by Beam"],
)
def test_an_interrupted_run_leaves_no_process_and_goes_on_under_its_id(
    number: signal.Signals, code: int, runner: str, commands: CommandServer, tmp_path: Path
) -> None:
    settings = write_trips(tmp_path)
    command = commands.start(["run", "-c", str(settings), "--runner", runner])
    wait_for("StatisticsGen", settings, command)
    workers = command.children()
    command.signal(number)
    assert command.wait() == code, command.text
    assert workers
    assert wait_until_gone(workers) == []
    (run_id,) = run_ids(settings)
    assert f"Stopped by {number.name}. Run {run_id} can be continued with --resume." in command.stderr.read_text()
    assert "Traceback" not in command.text

    again = commands.run(["run", "-c", str(settings), "--resume", "--to", "StatisticsGen"])
    assert again.wait() == 2
    again = commands.run(["run", "-c", str(settings), "--runner", runner, "--resume", run_id])
    assert again.wait() == 0, again.text
    assert states(again)["ExampleGen"] == "kept"
    assert run_ids(settings) == [run_id]


def test_a_failed_run_goes_on_when_what_stopped_it_is_gone(commands: CommandServer, tmp_path: Path) -> None:
    settings = write_trips(tmp_path)
    # Pusher finds a file in the place of its folder.
    (tmp_path / "output/releases").mkdir(parents=True)
    (tmp_path / "output/releases/trips").touch()
    failed = commands.run(["run", "-c", str(settings)])
    assert failed.wait() == 1, failed.text
    assert states(failed)["Pusher"] == "failed"
    (tmp_path / "output/releases/trips").unlink()
    again = commands.run(["run", "-c", str(settings), "--resume"])
    assert again.wait() == 0, again.text
    assert {node for node, state in states(again).items() if state != "kept"} == {"Pusher"}
    assert (tmp_path / "output/releases/trips/1/saved_model.pb").exists()


def test_an_unfinished_training_is_not_begun_again(commands: CommandServer, tmp_path: Path) -> None:
    settings = write_trips(tmp_path, rows=4000)
    options = ["--set", "training.epochs=40", "--set", "training.early_stopping=null"]
    command = commands.start(["run", "-c", str(settings), *options])
    backups = tmp_path / "output/artifacts/Trainer/.system/stateful_working_dir"
    while not list(backups.glob("*/backup/checkpoint")):
        assert not is_gone(command.pid), command.text
        time.sleep(0.005)
    command.signal(signal.SIGKILL)
    command.wait()
    again = commands.run(["run", "-c", str(settings), *options, "--resume", "--debug"])
    assert again.wait() == 0, again.text
    (log,) = (tmp_path / "output/logs").glob("*/Trainer.log")
    assert re.search(r"Training goes on after step \d+", log.read_text())
    assert not list(backups.glob("*/backup"))


class TestWhatIsRefused:
    def test_a_changed_pipeline(self, commands: CommandServer, whole: Path) -> None:
        command = commands.run(["run", "-c", str(whole), "--resume", "--set", "training.epochs=5"])
        assert command.wait() == 1
        assert "changed: Trainer, Pusher; by training.epochs from 6 to 5" in command.text

    def test_a_run_that_does_not_exist(self, commands: CommandServer, whole: Path) -> None:
        command = commands.run(["run", "-c", str(whole), "--resume", "nothing"])
        assert command.wait() == 1
        assert f"The newest runs here: {run_ids(whole)[-1]}" in command.text

    def test_no_run_at_all(self, commands: CommandServer, tmp_path: Path) -> None:
        command = commands.run(["run", "-c", str(write_trips(tmp_path)), "--resume"])
        assert command.wait() == 1
        assert "There is no run to resume." in command.text

    def test_a_part_that_builds_on_what_has_changed(self, commands: CommandServer, whole: Path) -> None:
        options = ["--from", "Evaluator", "--set", "training.epochs=5"]
        command = commands.run(["run", "-c", str(whole), *options])
        assert command.wait() == 1
        assert "Fix: Begin with the first of them: --from Trainer" in command.text

    def test_a_part_that_nothing_was_made_for(self, commands: CommandServer, tmp_path: Path) -> None:
        command = commands.run(["run", "-c", str(write_trips(tmp_path)), "--from", "Trainer"])
        assert command.wait() == 1
        assert "No earlier run has made what this part of the pipeline needs." in command.text


def test_a_complete_run_is_only_reported(commands: CommandServer, whole: Path) -> None:
    (newest,) = run_ids(whole)[-1:]
    command = commands.run(["run", "-c", str(whole), "--resume", newest])
    assert command.wait() == 0, command.text
    assert "is complete, nothing is left to run" in command.text
    assert "Release: " in command.text


def test_a_walk_by_beam_takes_everything_from_the_same_cache(commands: CommandServer, whole: Path) -> None:
    command = commands.run(["run", "-c", str(whole), "--runner", "beam"])
    assert command.wait() == 0, command.text
    found = states(command)
    assert found.keys() > set(BEFORE_TRAINER)
    assert {node for node, state in found.items() if state != "cached"} <= {"LatestBlessed", "Evaluator"}


def test_a_part_of_the_pipeline_builds_on_an_earlier_run(commands: CommandServer, whole: Path) -> None:
    options = ["--from", "Evaluator", "--set", "evaluation.thresholds.auc.lower=0.5"]
    command = commands.run(["run", "-c", str(whole), *options])
    assert command.wait() == 0, command.text
    found = states(command)
    assert [node for node, state in found.items() if state == "kept"] == [*BEFORE_TRAINER, "Trainer"]
    assert found["Evaluator"] == found["LatestBlessed"] == "complete"


def test_a_part_may_end_early(commands: CommandServer, whole: Path) -> None:
    command = commands.run(["run", "-c", str(whole), "--to", "StatisticsGen"])
    assert command.wait() == 0, command.text
    assert list(states(command)) == ["ExampleGen", "StatisticsGen"]
    assert "Ended after StatisticsGen, as asked" in command.text


def test_a_second_run_is_told_who_holds_the_output_dir(commands: CommandServer, tmp_path: Path) -> None:
    settings = write_trips(tmp_path)
    first = commands.start(["run", "-c", str(settings)])
    wait_for("ExampleGen", settings, first)
    second = commands.run(["run", "-c", str(settings)])
    shown = commands.run(["runs", "show", "latest", "-c", str(settings)])
    first.signal(signal.SIGKILL)
    first.wait()
    assert re.search(rf"Process: +{first.pid} on ", shown.text), shown.text
    assert "running" in shown.text
    assert "died" not in shown.text
    assert second.wait() == 1
    assert f"Received: process {first.pid} on {os.uname().nodename} since" in second.text


def test_another_store_does_not_write_over_the_artifacts(commands: CommandServer, whole: Path) -> None:
    other = whole.parent / "other.sqlite"
    before = sorted(whole.parent.glob("output/artifacts/ExampleGen/examples/*/*/*"))
    command = commands.run(["run", "-c", str(whole), "--to", "ExampleGen", "--set", f"metadata.url=sqlite:///{other}"])
    assert command.wait() == 1, command.text
    assert "it belongs to another metadata store" in command.text
    assert sorted(whole.parent.glob("output/artifacts/ExampleGen/examples/*/*/*")) == before


def test_an_older_run_is_not_released_over_a_newer_one(commands: CommandServer, tmp_path: Path) -> None:
    settings = write_trips(tmp_path)
    first = commands.start(["run", "-c", str(settings), "--to", "StatisticsGen"])
    wait_for("StatisticsGen", settings, first)
    first.signal(signal.SIGKILL)
    first.wait()
    (older,) = run_ids(settings)
    assert commands.run(["run", "-c", str(settings), "--to", "ExampleGen"]).wait() == 0
    command = commands.run(["run", "-c", str(settings), "--resume", older])
    assert command.wait() == 1
    assert "A newer run is complete" in command.text


def truncate(folder: Path) -> Any:
    file = next(folder.glob("artifacts/Transform/transformed_examples/*/Split-train/*"))
    return os.truncate(file, file.stat().st_size // 2)


def delete(folder: Path) -> Any:
    return next(folder.glob("artifacts/StatisticsGen/statistics/*/Split-eval/*")).unlink()


@pytest.mark.parametrize(("damage", "node"), [(truncate, "Transform"), (delete, "StatisticsGen")], ids=["cut", "gone"])
def test_a_damaged_artifact_is_not_taken_from_the_cache(
    damage: Any, node: str, commands: CommandServer, whole: Path
) -> None:
    damage(whole.parent / "output")
    command = commands.run(["run", "-c", str(whole), "--to", "Transform"])
    assert command.wait() == 0, command.text
    made = {name for name, state in states(command).items() if state == "complete"}
    assert node in made
    assert "ExampleGen" not in made
