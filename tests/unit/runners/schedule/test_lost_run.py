"""A schedule beside a run of Kubeflow that was deleted there, in a real store."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timezone
from functools import partial
from pathlib import Path

import pytest
from ml_metadata.proto import metadata_store_pb2

from configs.settings import Settings
from runners.compiled import compile_pipeline, with_run_id
from runners.run_folder import RunFolder, run_folder
from runners.run_record import RunRecord, run_record
from runners.schedule.clock import Clock
from runners.schedule.daemon import run_once
from runners.schedule.decision import Plan
from runners.schedule.lost_run import close_lost_run
from runners.schedule.lost_runs import LostRun
from runners.schedule.plan import make_plan
from runners.schedule.scheduler import Scheduler
from schemas.errors import RunError
from tests.integration.kubeflow_api.fault import Fault
from tests.integration.kubeflow_api.server import kubeflow_api
from tests.unit.runners.made_history import MadeHistory
from tests.unit.runners.made_settings import made_settings
from tests.unit.runners.test_webhook import server

pytestmark = pytest.mark.slow

SCHEDULE = """\
schedule:
  run_seconds: 3600
  on_failure: {command: [sh, -c, "echo $STF_SPAN $STF_STATE $STF_RUN >> FOLDER/told"]}
"""


DELETED = LostRun("It was deleted on kubeflow.")


@pytest.fixture
def history(tmp_path: Path) -> MadeHistory:
    (tmp_path / "data").mkdir()
    (tmp_path / "data/5.csv").write_text("fare,tips\n1,1\n")
    return MadeHistory(tmp_path)


@pytest.fixture
def begun(history: MadeHistory) -> Callable[..., Settings]:
    """The settings of a schedule, beside a run of Kubeflow of long ago that no task has closed."""

    def make(log: str = "", folder: bool = True, overrides: Sequence[str] = ()) -> Settings:
        history.record("theirs", "running", orchestrator="kubeflow", span=5)
        if folder:
            settings = made_settings(history.folder, "data.span=5", *overrides, more=SCHEDULE)
            path = run_folder(settings, "theirs")
            RunFolder(path, with_run_id(compile_pipeline(settings), "theirs"), settings).save()
            (path / "ExampleGen.log").write_text(log)
        return made_settings(history.folder, *overrides, more=SCHEDULE)

    return make


def closed(history: MadeHistory) -> RunRecord:
    with history.metadata as metadata:
        return run_record(metadata, "trips", "theirs")


def passed(settings: Settings, planning: Callable[..., Plan] | None = None) -> tuple[bool, list[str]]:
    said: list[str] = []
    scheduler = Scheduler(settings, Clock(), "run", said.append)
    run_once(scheduler, planning or partial(make_plan, settings.schedule, settings.window))
    return not scheduler.news.failures, said


def told(history: MadeHistory) -> list[str]:
    file = history.folder / "told"
    return file.read_text().splitlines() if file.exists() else []


def test_it_is_closed_with_its_error_and_told_once(history: MadeHistory, begun: Callable[..., Settings]) -> None:
    settings = begun("Traceback:\nschedules.x\nschemas.errors.DataError: The file is cut off.\n  Where: 5.csv\n")

    ended_well, said = passed(settings)

    assert not ended_well
    record = closed(history)
    assert (record.state, record.error, record.message) == ("failed", "DataError", "ExampleGen: The file is cut off.")
    assert record.data  # the fingerprint of what was refused, as the local runner records it
    assert "longer than schedule.run_seconds, 3600 s" in said[0]
    assert said[0].endswith("What became of it: scalable-tf runs show theirs")
    assert told(history) == ["5 refused theirs"]
    assert passed(settings) == (True, [])
    assert told(history) == ["5 refused theirs"]


def test_one_that_said_nothing_has_failed_and_its_span_is_tried_again_by_another_run(
    history: MadeHistory, begun: Callable[..., Settings]
) -> None:
    settings = begun()

    ended_well, _ = passed(settings, lambda _: Plan())

    assert not ended_well
    assert (closed(history).state, closed(history).error) == ("failed", "RunError")
    assert "longer than schedule.run_seconds" in closed(history).message
    assert told(history) == ["5 failed theirs"]
    situation = Scheduler(settings, Clock(), "run", lambda _: None).look(by_hand=True)
    (decision,) = make_plan(settings.schedule, settings.window, situation).decisions
    assert (decision.action, decision.retried) == ("wait", True)
    later = replace(situation, now=datetime(2100, 1, 1, tzinfo=timezone.utc))
    (decision,) = make_plan(settings.schedule, settings.window, later).decisions
    assert decision.job is not None
    assert (decision.action, decision.job.run_id, decision.job.attempt) == ("retry", "", 2)


def test_one_on_a_span_that_was_trained_on_before_is_no_success(
    history: MadeHistory, begun: Callable[..., Settings]
) -> None:
    history.record("before", "complete", span=5, release=1)
    ended_well, said = passed(begun())
    assert not ended_well
    assert len(said) == 1
    assert told(history) == ["5 given up theirs"]


def test_one_after_which_another_began_is_told_too(history: MadeHistory, begun: Callable[..., Settings]) -> None:
    settings = begun()
    history.record("newer", "complete", span=5, release=1)
    ended_well, _ = passed(settings, lambda _: Plan())
    assert not ended_well
    assert closed(history).state == "failed"
    assert told(history) == ["5 given up theirs"]


def test_one_of_the_schedule_is_told_once_also_before_its_ledger_knows_of_any(
    history: MadeHistory, begun: Callable[..., Settings]
) -> None:
    settings = begun()
    history.record("theirs", "running", orchestrator="kubeflow", span=5, trigger="cron")
    for _ in range(2):
        passed(settings, lambda _: Plan())
    assert told(history) == ["5 failed theirs"]


@pytest.mark.parametrize("is_killed", [True, False])
def test_one_that_was_closed_and_not_told_is_told_by_the_next_try(
    is_killed: bool, history: MadeHistory, begun: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process is killed, or does not reach the store, when the record is closed, and its webhook is not told."""

    def stop(*_: object) -> None:
        raise KeyboardInterrupt if is_killed else RunError("The store is away.")

    with server(200) as (address, got):
        monkeypatch.setenv("HOOK", address)
        settings = begun(overrides=["kubeflow.webhook=${HOOK}"])
        with monkeypatch.context() as patched:
            patched.setattr("runners.kubeflow.run_outcome.tell_outcome", stop)
            scheduler = Scheduler(settings, Clock(), "run", lambda _: None)
            scheduler.look()
            with pytest.raises((KeyboardInterrupt, RunError)):
                scheduler.close_lost()
        assert closed(history).state == "failed"
        assert len(scheduler.news.failures) == 1
        assert (told(history), got) == ([], [])
        if is_killed:
            ended_well, _ = passed(settings, lambda _: Plan())
        else:
            run_once(scheduler, lambda _: Plan())
            ended_well = not scheduler.news.failures
    assert not ended_well
    assert told(history) == ["5 failed theirs"]
    assert [(one["outcome"], one["task"]) for one in got] == [("failed", "ExampleGen")]
    assert passed(settings, lambda _: Plan())[0]
    assert told(history) == ["5 failed theirs"]


def test_who_cannot_tell_leaves_that_to_the_next_one(history: MadeHistory, begun: Callable[..., Settings]) -> None:
    settings = begun()
    scheduler = Scheduler(settings, Clock(), "run", lambda _: None)
    scheduler.look()
    assert scheduler.close_lost(tells=False)
    scheduler.look()
    assert not scheduler.close_lost(tells=False)
    assert told(history) == []
    assert not passed(settings, lambda _: Plan())[0]
    assert told(history) == ["5 failed theirs"]


def test_one_that_is_refused_counts_once(history: MadeHistory, begun: Callable[..., Settings]) -> None:
    scheduler = Scheduler(
        begun("schemas.errors.DataError: The file is cut off.\n  Where: 5.csv\n"), Clock(), "run", lambda _: None
    )
    run_once(scheduler, lambda _: Plan())
    (failure,) = scheduler.news.failures.values()
    assert "refused" in failure


def test_kubeflow_is_asked_where_it_is_named(history: MadeHistory, begun: Callable[..., Settings]) -> None:
    with kubeflow_api() as server:
        settings = begun(overrides=[f"kubeflow.host={server.url}", "schedule.run_seconds=1e9"])
        ended_well, said = passed(settings, lambda _: Plan())
    assert not ended_well
    assert said[0].startswith("It was deleted on kubeflow, and nobody has closed its record here.")
    assert closed(history).state == "failed"


@pytest.mark.parametrize("folder", [True, False])
def test_one_that_was_terminated_is_interrupted_and_told_so(
    folder: bool, history: MadeHistory, begun: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    with kubeflow_api() as kubeflow, server(200) as (address, got):
        kubeflow.faults = [Fault("GET .*/runs/theirs", 200, body=b'{"run_id": "theirs", "state": "CANCELED"}', times=9)]
        monkeypatch.setenv("HOOK", address)
        settings = begun(folder=folder, overrides=[f"kubeflow.host={kubeflow.url}", "kubeflow.webhook=${HOOK}"])
        history.node("theirs", "ExampleGen", state="running")
        passed(settings, lambda _: Plan())
    record = closed(history)
    assert (record.state, record.error) == ("interrupted", "")
    assert "It was terminated on kubeflow" in record.message
    assert [one["outcome"] for one in got] == ["interrupted"]
    (execution,) = history.store.get_executions()
    assert execution.last_known_state == metadata_store_pb2.Execution.CANCELED


def test_a_look_alone_writes_nothing(history: MadeHistory, begun: Callable[..., Settings]) -> None:
    situation = Scheduler(begun(), Clock(), "run", lambda _: None).look()
    assert situation.histories[5].progress == "failed"
    assert closed(history).state == "running"


def test_one_whose_folder_was_cleared_away_is_closed_too(history: MadeHistory, begun: Callable[..., Settings]) -> None:
    with server(200) as (address, got):
        settings = begun(folder=False, overrides=["kubeflow.webhook=${HOOK}"])
        assert close_lost_run(settings, "theirs", DELETED, {"HOOK": address})
    assert (closed(history).state, closed(history).message) == ("failed", DELETED.why)
    assert [(one["outcome"], one["task"], one["message"]) for one in got] == [("failed", "", DELETED.why)]


def test_one_that_has_ended_meanwhile_is_left_alone(history: MadeHistory, begun: Callable[..., Settings]) -> None:
    settings = begun()
    history.record("theirs", "complete", orchestrator="kubeflow", span=5)
    assert not close_lost_run(settings, "theirs", DELETED, {})
    assert closed(history).state == "complete"
