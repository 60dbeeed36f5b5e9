"""Runs whose process does not come as far as a record of its own: real processes, and a store with a history."""

from __future__ import annotations

import sys
from datetime import datetime, timedelta, timezone
from functools import partial
from pathlib import Path

import pytest

from runners.output_lock import output_lock
from runners.run_record import RunRecord, run_records
from runners.schedule.clock import Clock
from runners.schedule.daemon import run_once
from runners.schedule.plan import make_plan
from runners.schedule.scheduler import Scheduler
from schemas.errors import RunError
from tests.unit.runners.made_history import MadeHistory
from tests.unit.runners.made_settings import made_settings


@pytest.fixture
def made(tmp_path: Path) -> MadeHistory:
    """The data of a span are there, and a run of it failed."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data/1.csv").write_text("fare,tips\n1,2\n")
    made = MadeHistory(tmp_path)
    made.record("first", "failed", span=1, message="Trainer: out of memory", ended="2026-11-25T01:00:00+00:00")
    return made


def scheduler_of(made: MadeHistory, clock: Clock, *overrides: str) -> Scheduler:
    settings = made_settings(made.folder, *overrides, more="schedule: {backoff_seconds: 0.01, max_retries: 2}\n")
    return Scheduler(settings, clock, "run", lambda _: None)


def one_pass(made: MadeHistory, *overrides: str) -> bool:
    scheduler = scheduler_of(made, Clock(), *overrides)
    run_once(scheduler, partial(make_plan, scheduler.settings.schedule, scheduler.settings.window))
    return not scheduler.news.failures


def records(made: MadeHistory) -> dict[str, RunRecord]:
    with made.metadata as metadata:
        return {record.run_id: record for record in run_records(metadata, "trips")}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["schedule.run_seconds=0.05"], "It took longer than schedule.run_seconds, 0.05 s, before it began."),
        ([], "It could not begin: its process said nothing; log: "),
    ],
)
def test_a_run_that_ends_before_it_has_a_record_is_an_attempt_of_its_own(
    overrides: list[str], message: str, made: MadeHistory, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not overrides:  # nothing can be imported
        monkeypatch.setattr(sys, "executable", "/bin/false")
    before = records(made)

    assert not one_pass(made, *overrides)

    after = records(made)
    assert after.pop("first") == before["first"]
    assert [(one.state, one.attempt, one.span) for one in after.values()] == [("failed", 3, 1), ("failed", 2, 1)]
    assert all(one.message.startswith(message) for one in after.values())

    # Given up: another start makes no more of them.
    assert one_pass(made, *overrides)
    assert records(made).keys() == {"first", *after}


def test_one_pass_after_another_gives_up_in_the_end(made: MadeHistory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is killed after one attempt."""

    def killed(_: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(sys, "executable", "/bin/false")
    with monkeypatch.context() as patched:
        patched.setattr("runners.schedule.daemon.time.sleep", killed)
        with pytest.raises(KeyboardInterrupt):
            one_pass(made, "schedule.backoff_seconds=60")
    assert len(records(made)) == 2
    assert not one_pass(made)
    assert one_pass(made)
    assert len(records(made)) == 3


def test_of_another_clock_releases_keep_their_age_and_logs_the_time_of_the_machine(
    made: MadeHistory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A year ahead, a release that was made just now is none of an hour, and the log of a run no log of the future."""
    monkeypatch.setattr(sys, "executable", "/bin/false")
    examples = made.ingest("second", span=1)
    made.release("second", made.train("second", examples), examples)
    started = datetime.now(timezone.utc)
    scheduler = scheduler_of(made, Clock(started + timedelta(days=365)), "schedule.triggers.max_age_hours=1")

    situation = scheduler.look(by_hand=True)
    assert situation.signals == {}
    scheduler.make(make_plan(scheduler.settings.schedule, scheduler.settings.window, situation).jobs[0])

    (log,) = scheduler.logs.iterdir()
    made_at = datetime.strptime(log.name[:15], "%Y%m%dT%H%M%S").replace(tzinfo=timezone.utc)
    assert started.replace(microsecond=0) <= made_at <= datetime.now(timezone.utc)


def test_a_run_by_hand_that_is_in_the_way_is_waited_for(made: MadeHistory) -> None:
    held = output_lock(made.output_dir, "process 1")
    with held, pytest.raises(RunError, match="another one is using this output_dir"):
        one_pass(made)
    assert records(made).keys() == {"first"}
