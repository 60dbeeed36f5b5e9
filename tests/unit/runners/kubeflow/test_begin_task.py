"""The task begin, on a store of its own, where nobody has named a span."""

from __future__ import annotations

import multiprocessing
import os
import signal
import socket
import sys
from pathlib import Path
from typing import Any

import pytest

from configs.kubeflow import DRY_RUN_VARIABLE
from configs.settings import Settings
from runners.kubeflow.begin_task import begin_run
from runners.run_record import RunRecord, run_record
from runners.schedule.daemon import schedule_lock
from schemas.errors import RunError, SettingsError
from tests.unit.runners.made_history import MadeHistory
from tests.unit.runners.made_settings import made_settings
from tests.unit.runners.test_webhook import server

pytestmark = pytest.mark.slow


@pytest.fixture
def history(tmp_path: Path) -> MadeHistory:
    """Of a pipeline whose spans 1 and 2 are there."""
    (tmp_path / "data").mkdir()
    for span in (1, 2):
        (tmp_path / f"data/{span}.csv").write_text("fare,tips\n1,1\n")
    return MadeHistory(tmp_path)


def settings(history: MadeHistory, *overrides: str) -> Settings:
    return made_settings(history.folder, *overrides)


def recorded(history: MadeHistory, run_id: str) -> RunRecord:
    with history.metadata as metadata:
        return run_record(metadata, "trips", run_id)


def done(history: MadeHistory, span: int, **fields: Any) -> None:
    history.record(f"of-{span}", span=span, **fields)


def test_it_takes_the_span_that_the_plan_asks_for_and_records_it(history: MadeHistory) -> None:
    done(history, 1)
    run = begin_run(settings(history), "kfp-1", {})
    assert run.settings.data.span == 2
    record = recorded(history, "kfp-1")
    assert (record.span, record.trigger, record.attempt, record.orchestrator) == (2, "manual", 1, "kubeflow")


def test_once_more_it_keeps_the_span_though_a_newer_one_has_come(history: MadeHistory) -> None:
    begin_run(settings(history), "kfp-1", {})
    before = recorded(history, "kfp-1")
    (history.folder / "data/3.csv").write_text("fare,tips\n1,1\n")
    run = begin_run(settings(history), "kfp-1", {})
    assert run.settings.data.span == 2
    assert recorded(history, "kfp-1") == before.__class__(**{**before.__dict__, "pid": recorded(history, "kfp-1").pid})


def killed_before_call(number: int, history: MadeHistory, given: Settings) -> bool:
    """Begins a run in a child that is killed, with all that it started, before its `number`-th call on output_dir.

    Returns:
        Whether it was killed.
    """
    calls = multiprocessing.Value("i", 0)  # also those of the processes that it starts
    pid = os.fork()
    if pid == 0:

        def count(event: str, arguments: tuple[Any, ...]) -> None:
            if any(isinstance(one, (str, os.PathLike)) and str(one).startswith(logs) for one in arguments):
                with calls:
                    calls.value += 1
                    is_last = calls.value == number
                if is_last:
                    os.kill(begun, signal.SIGKILL)
                    os.kill(os.getpid(), signal.SIGKILL)

        logs, begun = str(history.output_dir / "logs"), os.getpid()
        sys.addaudithook(count)
        try:
            begin_run(given, "kfp-1", {})
        except BaseException:
            os._exit(1)
        os._exit(0)
    status = os.waitpid(pid, 0)[1]
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
    return os.WIFSIGNALED(status)


def test_one_that_was_killed_at_any_step_and_is_repeated_is_as_one_that_was_not(tmp_path: Path) -> None:
    killed, left = 0, set()
    while True:
        folder = tmp_path / str(killed)
        (folder / "data").mkdir(parents=True)
        (folder / "data/2.csv").write_text("fare,tips\n1,1\n")
        history = MadeHistory(folder)
        done(history, 2, state="failed", error="RunError", attempt=2, orchestrator="kubeflow", trigger="cron")
        given = settings(history)
        if not killed_before_call(killed + 1, history, given):
            break
        killed += 1
        left.add((history.output_dir / "logs/kfp-1").is_dir())
        begin_run(given, "kfp-1", {})
        record = recorded(history, "kfp-1")
        assert (record.span, record.trigger, record.attempt, record.state) == (2, "cron", 3, "running")
    record = recorded(history, "kfp-1")  # of the one that was not killed
    assert (record.span, record.trigger, record.attempt, record.state) == (2, "cron", 3, "running")
    assert killed > 5
    assert left == {False, True}  # killed before its folder was there, and after that


def test_a_span_that_was_trained_on_is_not_read_again_because_it_is_the_newest(history: MadeHistory) -> None:
    done(history, 2)
    with pytest.raises(RunError, match="No span is to be trained on now") as raised:
        begin_run(settings(history), "kfp-1", {})
    assert "done 2: no release" in str(raised.value)
    assert "--parameter span=N" in str(raised.value)
    assert not (history.output_dir / "logs/kfp-1").exists()


def test_one_run_is_at_a_span_at_a_time(history: MadeHistory) -> None:
    begin_run(settings(history), "kfp-1", {})
    with pytest.raises(RunError, match="No span is to be trained on now") as raised:
        begin_run(settings(history), "kfp-2", {})
    assert "run kfp-1 is at it, on kubeflow" in str(raised.value)


def test_a_failed_one_is_tried_again_by_another_run_which_counts(history: MadeHistory) -> None:
    done(history, 1)
    done(history, 2, state="failed", error="RunError", attempt=2, orchestrator="kubeflow", trigger="cron")
    begin_run(settings(history), "kfp-2", {})
    record = recorded(history, "kfp-2")
    assert (record.span, record.trigger, record.attempt) == (2, "cron", 3)


def test_a_dry_run_closes_no_run_of_others(history: MadeHistory) -> None:
    given = settings(history, "schedule.run_seconds=3600")
    done(history, 1, state="running", orchestrator="kubeflow")
    begin_run(given, "dry", {DRY_RUN_VARIABLE: "1"})
    assert recorded(history, "of-1").state == "running"
    with pytest.raises(RunError, match="No span is to be trained on now"):
        begin_run(given, "kfp-2", {})
    assert recorded(history, "of-1").state == "failed"


def test_a_dry_run_does_not_take_a_long_run_for_dead_because_it_asks_nobody(
    history: MadeHistory, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as kubeflow:
        host = f"kubeflow.host=http://127.0.0.1:{kubeflow.getsockname()[1]}"
        done(history, 2, state="running", orchestrator="kubeflow")
        monkeypatch.setenv(DRY_RUN_VARIABLE, "1")
        with pytest.raises(RunError, match="No span is to be trained on now") as raised:
            begin_run(settings(history, "schedule.run_seconds=3600", host), "dry", {DRY_RUN_VARIABLE: "1"})
        kubeflow.setblocking(False)
        with pytest.raises(BlockingIOError):
            kubeflow.accept()
    assert "run of-2 is at it, on kubeflow" in str(raised.value)
    assert "does not ask Kubeflow" in str(raised.value)


def test_without_the_schedule_s_secrets_a_lost_run_is_told_of_by_the_next_one_who_has_them(
    history: MadeHistory, monkeypatch: pytest.MonkeyPatch
) -> None:
    with server(200) as (address, got):
        given = settings(history, "schedule.run_seconds=3600", "schedule.on_failure.webhook=${HOOK}")
        done(history, 1, state="running", orchestrator="kubeflow")
        begin_run(given, "kfp-1", {})
        assert recorded(history, "of-1").state == "failed"
        assert got == []
        monkeypatch.setenv("HOOK", address)
        history.record("kfp-1", span=2, orchestrator="kubeflow")
        (history.folder / "data/3.csv").write_text("fare,tips\n1,1\n")
        begin_run(given, "kfp-2", {"HOOK": address})
    assert [(one["span"], one["run"]) for one in got] == [(1, "of-1")]


def test_spans_that_its_window_needs_are_named(history: MadeHistory) -> None:
    with pytest.raises(RunError, match="must be ingested first") as raised:
        begin_run(settings(history, "window.spans=2"), "kfp-1", {})
    assert "Received: 1" in str(raised.value)
    assert "schedule run --once" in str(raised.value)


def test_a_span_that_is_named_is_taken_whatever_the_plan_says(history: MadeHistory) -> None:
    done(history, 2)
    begin_run(settings(history, "data.span=2"), "kfp-1", {})
    assert (recorded(history, "kfp-1").span, recorded(history, "kfp-1").trigger) == (2, "")


def test_beside_a_schedule_at_work_it_chooses_nothing(history: MadeHistory) -> None:
    with schedule_lock(history.output_dir / "schedule"), pytest.raises(RunError, match="being worked off already"):
        begin_run(settings(history), "kfp-1", {})


def test_a_name_that_may_be_two_spans_is_refused(history: MadeHistory) -> None:
    path = f"data.path={history.folder}/data/*{{SPAN}}.csv"
    with pytest.raises(SettingsError, match="where the number of a span begins"):
        begin_run(settings(history, path), "kfp-1", {})
