"""A schedule at work, on made-up days with the faults of real deliveries, undisturbed and killed at random moments.

A longer version of the kills: `--kill-series 30`; of the days: `python -m benchmarks.retraining`.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from benchmarks.trip_days import SETTINGS, Days, trips
from configs.load import load_settings
from runners.job import Job
from runners.schedule.child import Order, run_in_child
from runners.schedule.daemon import schedule_lock
from runners.schedule.served_metrics import served_metrics
from schemas.errors import RunError
from tests.integration.command_server import Command, CommandServer, is_gone, wait_until_gone

pytestmark = pytest.mark.slow

FIRST = date(2026, 3, 1)
SPAN = 20513
AFTER_LATENESS = "2026-03-06T09:00:00+01:00"


@dataclass(frozen=True)
class Series:
    """Five days in an output_dir."""

    commands: CommandServer
    days: Days
    output: Path

    def start(self, action: str, *words: str) -> Command:
        given = ["-c", str(self.days.settings), "--set", f"output_dir={self.output}", "--now", AFTER_LATENESS]
        return self.commands.start(["schedule", action, *given, *words])

    def json(self, action: str, *words: str) -> Any:
        command = self.start(action, "--json", *words)
        assert command.wait() == 0, command.text
        return json.loads(command.stdout.read_text())

    def runs(self) -> list[dict[str, Any]]:
        command = self.commands.run(
            ["runs", "list", "--json", "-c", str(self.days.settings), "--set", f"output_dir={self.output}"]
        )
        found: list[dict[str, Any]] = json.loads(command.stdout.read_text())
        return found

    def state(self) -> dict[int, tuple[str, int, str]]:
        """What became of each span, without what differs between two histories of the same."""
        return {one["span"] - SPAN: (one["state"], one["release"], one["why"]) for one in self.json("status")["spans"]}

    def releases(self) -> dict[str, Any]:
        found = {}
        for folder in sorted((self.output / "releases/trips").iterdir()):
            if folder.is_dir():
                record = json.loads((folder / "release.json").read_text())
                found[folder.name] = {key: record[key] for key in ("spans", "metrics", "fingerprints", "blessing")}
                found[folder.name]["blessing"].pop("baseline")  # its place
        return found


@pytest.fixture(scope="module")
def days(tmp_path_factory: pytest.TempPathFactory) -> Days:
    """Five days; the last one but one is late."""
    days = Days(tmp_path_factory.mktemp("trips"), FIRST, 5, {1: "corrupt", 2: "labels", 3: "late", 4: "duplicate"})
    days.prepare(SETTINGS.replace("max_retries: 1", "max_retries: 0"))
    for number in (0, 1, 2, 4):
        days.deliver(number)
    return days


@pytest.fixture(scope="module")
def worked(commands: CommandServer, days: Days, tmp_path_factory: pytest.TempPathFactory) -> Series:
    """The days, worked off before the late one has come."""
    series = Series(commands, days, tmp_path_factory.mktemp("worked") / "output")
    command = series.start("run", "--once")
    assert command.wait() == 1, command.text
    assert "Exit code 1: 1 did not end well, although others were released.\n" in command.text
    assert f"  not well: Span {SPAN + 1} (2026-03-02): refused: ExampleGen: The gzip file is cut off." in command.text
    return series


def test_good_days_are_trained_on_and_bad_ones_refused_with_the_reason(worked: Series) -> None:
    state = worked.state()
    assert {number: found[:2] for number, found in state.items()} == {
        0: ("trained", 1),
        1: ("refused", 0),
        2: ("trained", 0),
        3: ("missing", 0),
        4: ("trained", 2),
    }
    assert state[1][2] == "ExampleGen: The gzip file is cut off."
    assert state[2][2].startswith("not blessed: Overall: auc is 0.")


def test_a_second_version_is_what_is_trained_on(worked: Series) -> None:
    (newest,) = [one for one in worked.json("plan")["decisions"] if one["span"] == SPAN + 4]
    assert (newest["action"], newest["version"]) == ("done", 2)
    assert worked.releases()["2"]["spans"][-1] == SPAN + 4


def test_what_is_released_and_served_is_as_good_on_trips_of_that_day_that_nobody_has_seen(worked: Series) -> None:
    """0.7 is the gate's least; a model of the day whose labels are turned round, or one of none, is at 0.5 or below."""
    fare, miles, payment, tips = zip(*trips("held out", 1000), strict=True)
    given = {"fare": tf.constant(fare), "miles": tf.constant(miles), "payment": tf.constant(payment)}
    label = np.array(tips) > 0.15 * np.array(fare)
    releases = worked.releases()
    assert len(releases) == 2
    for version in releases:
        model = tf.saved_model.load(str(worked.output / "releases/trips" / version))
        predicted = model.signatures["predict"](**given)["predictions"].numpy().ravel()
        assert area(predicted, label) >= 0.7, version
        assert area(predicted, np.array(tips) == 0) < 0.3, version


def area(predicted: np.ndarray, label: np.ndarray) -> float:
    """Below the ROC curve: the share of pairs that are in the right order."""
    higher = predicted[label][:, None] - predicted[~label][None, :]
    return float(np.mean((higher > 0) + 0.5 * (higher == 0)))


def test_nothing_is_left_to_do_and_a_late_day_is_ingested_for_later_windows(worked: Series) -> None:
    known = [run["run_id"] for run in worked.runs()]
    assert [one["action"] for one in worked.json("plan")["decisions"]] == ["done", "refused", "done", "gap", "done"]
    worked.days.deliver(3)
    (late,) = [one for one in worked.json("plan")["decisions"] if one["span"] == SPAN + 3]
    assert late["action"] == "wait"
    assert late["why"].endswith("to be ingested: it came after span 20517 (2026-03-05) was trained on")
    command = worked.start("run", "--once")
    assert command.wait() == 0
    assert "Nothing more to do now; runs in this pass: 1." in command.text
    command = worked.start("run", "--once")
    assert command.wait() == 0
    assert "Nothing to do: no span is due." in command.text
    assert worked.state()[3] == ("ingested", 0, "span 20517 (2026-03-05) is trained on")
    assert len(worked.runs()) == len(known) + 1


def test_the_released_model_is_measured_on_what_a_run_has_ingested(worked: Series, tmp_path: Path) -> None:
    """Of the late day, which no training has seen; where a trigger asks for it, the daemon does the same."""
    (late,) = (one for one in worked.json("status")["spans"] if one["span"] == SPAN + 3)
    overrides = [f"output_dir={worked.output}", f"data.span={SPAN + 3}"]
    settings = load_settings([worked.days.settings], overrides, {})
    release = worked.output / "releases/trips/2"
    order = Order(settings, Job(SPAN + 3, "metric", run_id=late["run"]), "", str(release))

    assert run_in_child(order, tmp_path / "log", None)

    measured = served_metrics(settings, late["run"])
    assert measured is not None, (tmp_path / "log").read_text()
    assert (measured["release"], measured["error"]) == (2, "")
    assert measured["metrics"]["auc"] > 0.7


def test_of_two_schedulers_that_want_the_same_the_second_one_makes_no_run(worked: Series, tmp_path: Path) -> None:
    known = worked.runs()
    overrides = [f"output_dir={worked.output}", f"data.span={SPAN}"]
    settings = load_settings([worked.days.settings], overrides, {})

    assert run_in_child(Order(settings, Job(SPAN, "cron"), ""), tmp_path / "log", None)

    assert "The span is done already." in (tmp_path / "log").read_text()
    assert worked.state()[0] == ("trained", 1, "released version 1")
    assert worked.runs() == known


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "seed" in metafunc.fixturenames:
        metafunc.parametrize("seed", range(max(1, metafunc.config.getoption("--kill-series") // 3)))


def node_logs(series: Series, node: str) -> dict[str, int]:
    """How much a node has said, by run."""
    return {str(log): log.stat().st_size for log in series.output.glob(f"logs/2*/{node}.log")}


def test_killed_at_random_moments_it_comes_to_the_same(
    seed: int, worked: Series, commands: CommandServer, tmp_path: Path
) -> None:
    """The first two days: one that is released, one that is refused.

    It is killed some time after it has started, or after a node, of either day, has said something since: the first
    time before the first day is done, so that there is one kill at least, whatever the machine's speed.
    """
    numbers = random.Random(seed)
    series = Series(commands, worked.days, tmp_path / "output")
    part = ("--from", str(SPAN), "--to", str(SPAN + 1))
    killed = 0
    while killed < 2:
        node = numbers.choice(["", "ExampleGen", "Transform", "Trainer", "Evaluator", "Pusher"])
        moment = numbers.uniform(0, 0.5)
        before = node_logs(series, node)
        command = series.start("backfill", *part)
        # A run that goes on writes to the logs that it had.
        while node and node_logs(series, node) == before and not is_gone(command.pid):
            time.sleep(0.01)
        time.sleep(moment)
        if is_gone(command.pid):
            break
        children = everything_below(command.pid)
        with contextlib.suppress(ProcessLookupError):
            os.kill(command.pid, signal.SIGKILL)
        command.wait()
        assert wait_until_gone(children) == []
        killed += 1
    last = series.start("backfill", *part)
    assert last.wait() in (0, 1), last.text

    expected = {number: found for number, found in worked.state().items() if number < 2}
    found = series.state()
    assert {number: found[number] for number in expected} == expected
    assert series.releases() == {"1": worked.releases()["1"]}
    assert sorted(run["state"] for run in series.runs()) == ["complete", "failed"]
    assert killed


@pytest.fixture
def daemon(commands: CommandServer, tmp_path: Path) -> Iterator[Callable[..., Command]]:
    """Starts the schedule of a folder with one day, whose data are refused; ends what it has started."""
    days = Days(tmp_path, FIRST, 2, {0: "corrupt"})
    hook = f"{{command: [sh, -c, 'echo $STF_SPAN $STF_STATE $STF_ATTEMPT >> {tmp_path}/told'], seconds: 10}}"
    days.prepare(SETTINGS + f"  poll_seconds: 0.2\n  triggers: {{new_span: true}}\n  on_failure: {hook}\n")
    days.deliver(0)
    started: list[Command] = []

    def start(*words: str) -> Command:
        started.append(commands.start(["schedule", "run", "-c", str(days.settings), *words]))
        return started[-1]

    yield start
    for command in started:
        if not is_gone(command.pid):
            command.signal(signal.SIGKILL)
        command.wait()


def test_a_daemon_is_the_only_one_and_ends_in_order_and_the_next_start_takes_its_run_up(
    daemon: Callable[..., Command], commands: CommandServer, tmp_path: Path
) -> None:
    logs = tmp_path / "output/logs"
    first = daemon()
    wait_for(lambda: list(logs.glob("2*/ExampleGen.log")))
    first.signal(signal.SIGTERM)
    assert first.wait() == 0
    assert "Stopped by SIGTERM. What was not done is taken up at the next start." in first.text
    assert not everything_below(first.pid)
    listed = commands.run(["runs", "list", "--json", "-c", str(tmp_path / "settings.yaml")])
    (left,) = json.loads(listed.stdout.read_text())

    second = daemon()
    wait_for(lambda: second.stdout.exists() and "Nothing to do." in second.stdout.read_text())
    taken = pytest.raises(RunError, match=rf"(?s)being worked off already.*process {second.pid} on")
    with taken, schedule_lock(tmp_path / "output/schedule"):
        pass
    second.signal(signal.SIGTERM)
    assert second.wait() == 0

    (run,) = (folder.name for folder in logs.glob("2*") if (folder / "pipeline.pbtxt").exists())
    assert f"refused: ExampleGen: The gzip file is cut off. (run {run})" in first.text + second.text
    told = (tmp_path / "told").read_text().splitlines()
    if left["state"] == "interrupted":
        assert f"resume, run {run} was stopped: Interrupted: SIGTERM" in second.text
        assert told == [f"{SPAN} refused 1"]
    else:  # it had ended, and may have been told and that not been written down
        assert set(told) == {f"{SPAN} refused 1"}


def wait_for(what: Callable[[], object], seconds: float = 120.0) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "it does not come"
        time.sleep(0.02)


def everything_below(pid: int) -> list[int]:
    """All processes that a process has started, and those that these have."""
    found: list[int] = []
    try:
        children = [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []
    for child in children:
        found += [child, *everything_below(child)]
    return found
