from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from runners.schedule.clock import Clock
from runners.schedule.daemon import at_work, run_once, schedule_lock, serve
from runners.schedule.decision import Decision, Plan
from runners.schedule.ledger import Ledger
from runners.schedule.scheduler import Scheduler
from schemas.errors import RunError, SettingsError
from tests.unit.runners.made_settings import made_settings

SCHEDULE = """\
schedule:
  cron: 30 6 * * *
  catch_up: CATCH_UP
  max_retries: 1
  backoff_seconds: 0.2
  held_up_seconds: 0.1
  on_failure: {command: [sh, -c, "echo $STF_SPAN $STF_STATE $STF_ERROR >> FOLDER/output/told"]}
"""
NOW = datetime(2026, 11, 25, 7, 0, tzinfo=timezone.utc)


class EnoughError(Exception):
    pass


@pytest.fixture
def scheduler(tmp_path: Path) -> Callable[..., tuple[Scheduler, list[str]]]:
    """The schedule of data that are not there, and what it says; it ends when it has nothing to do."""

    def make(catch_up: str = "latest", *overrides: str) -> tuple[Scheduler, list[str]]:
        (tmp_path / "output").mkdir(exist_ok=True)
        settings = made_settings(tmp_path, *overrides, more=SCHEDULE.replace("CATCH_UP", catch_up))
        said: list[str] = []

        def say(line: str) -> None:
            said.append(line)
            if line.startswith("Nothing to do."):
                raise EnoughError

        return Scheduler(settings, Clock(NOW), "run", say), said

    return make


def test_it_says_what_it_waits_for_and_remembers_when_it_looked(
    scheduler: Callable[..., tuple[Scheduler, list[str]]],
) -> None:
    made, said = scheduler()
    with pytest.raises(EnoughError):
        serve(made)
    assert said == ["Nothing to do. next time: 2026-11-26 06:30 UTC."]
    passed = Ledger.load(made.folder).passed
    assert passed is not None
    assert NOW <= passed < NOW + timedelta(minutes=1)


def test_a_clock_that_went_back_is_said(scheduler: Callable[..., tuple[Scheduler, list[str]]]) -> None:
    made, said = scheduler()
    made.remember(NOW + timedelta(days=3))
    with pytest.raises(EnoughError):
        serve(made)
    assert said[0].startswith("The clock went back, from 2026-11-28 07:00:00 UTC to 2026-11-25 07:0")
    passed = Ledger.load(made.folder).passed
    assert passed is not None
    assert passed < NOW + timedelta(minutes=1)


def test_a_pass_with_nothing_to_do_ends_well(scheduler: Callable[..., tuple[Scheduler, list[str]]]) -> None:
    made, said = scheduler()
    assert run_once(made, lambda _: Plan()) == Plan()
    assert (said, made.made, made.news.failures) == ([], 0, {})


def test_missing_spans_are_told_once_and_those_before_the_first_start_not(
    scheduler: Callable[..., tuple[Scheduler, list[str]]],
) -> None:
    made, said = scheduler()

    def pass_with(*spans: int) -> None:
        run_once(made, lambda _: Plan(tuple(Decision(span, "gap", "it is missing", end=span) for span in spans)))

    pass_with(2)
    pass_with(2)
    pass_with(2, 5)
    pass_with(2, 5)
    assert said == ["Span 5: missing."]
    assert (made.folder.parent / "told").read_text() == "5 missing it is missing\n"


def test_a_store_that_cannot_be_reached_is_said_and_told_and_so_is_that_it_came_back(
    scheduler: Callable[..., tuple[Scheduler, list[str]]],
) -> None:
    away = ("metadata.url=grpc://127.0.0.1:1", "metadata.retry_seconds=0.1")
    made, said = scheduler("latest", *away)
    told = made.folder.parent / "told"
    for _ in range(2):  # a CronJob's passes
        with pytest.raises(RunError, match="The metadata store cannot be reached"):
            run_once(made, lambda _: Plan())
        made, said = scheduler("latest", *away)
        assert told.read_text().startswith("held up The metadata store cannot be reached.")
        assert told.read_text().count("\n") == 1
    made, said = scheduler()
    run_once(made, lambda _: Plan())
    assert told.read_text().splitlines()[1:] == ["going on"]
    assert len(said) == 1
    assert said[0].startswith("Going on, after a hold-up since 2026-11-25 07:")


def test_passes_without_retries_tell_together_that_nothing_can_be_done(
    scheduler: Callable[..., tuple[Scheduler, list[str]]],
) -> None:
    """The first one notes since when, the next one, which has no pause to tell it in, an hour later tells it."""
    away = ("metadata.url=grpc://127.0.0.1:1", "metadata.retry_seconds=0.1", "schedule.max_retries=0")
    for hours, lines in ((0, 0), (1, 1)):
        made, _ = scheduler("latest", *away, "schedule.held_up_seconds=600")
        made.clock = Clock(NOW + timedelta(hours=hours))
        with pytest.raises(RunError, match="The metadata store cannot be reached"):
            run_once(made, lambda _: Plan())
        told = made.folder.parent / "told"
        assert (told.read_text().count("held up") if told.exists() else 0) == lines


def test_one_schedule_works_at_a_time(
    scheduler: Callable[..., tuple[Scheduler, list[str]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runners.file_lock._PATIENCE", 0.0)  # whoever comes second is told at once
    folder = scheduler()[0].folder
    with schedule_lock(folder), pytest.raises(RunError, match="being worked off already"), schedule_lock(folder):
        pass
    with schedule_lock(folder):
        pass


def test_what_the_one_before_has_remembered_counts(scheduler: Callable[..., tuple[Scheduler, list[str]]]) -> None:
    """A scheduler that is made while another one is at work, and waits for its lock."""
    (before, _), (made, _) = scheduler(), scheduler()
    before.ledger.outcomes = {1: "trips/run-1/failed/1"}
    before.remember(NOW)
    with at_work(made):
        assert made.ledger == before.ledger


def test_an_output_dir_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SettingsError, match="output_dir cannot be written to"), schedule_lock(tmp_path / "file/x"):
        pass
