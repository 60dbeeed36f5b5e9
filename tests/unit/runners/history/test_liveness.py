from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from runners.history.liveness import states
from runners.output_lock import output_lock
from runners.run_record import RunRecord


def record(run_id: str, output_dir: Path, state: str = "running", pid: int = 0, host: str = "elsewhere") -> RunRecord:
    return RunRecord(run_id, "trips", state, "2026-11-25T01:00:00+00:00", "", host, pid, "", str(output_dir))  # type: ignore[arg-type]


def test_a_run_that_ended_is_what_it_says(tmp_path: Path) -> None:
    assert states([record("1", tmp_path, "failed")]) == {"1": "failed"}


def test_a_run_whose_lock_nobody_holds_has_died(tmp_path: Path) -> None:
    assert states([record("1", tmp_path)]) == {"1": "died"}


def test_a_run_on_kubeflow_holds_no_lock_between_its_tasks(tmp_path: Path) -> None:
    on_kubeflow = replace(record("2", tmp_path), orchestrator="kubeflow")
    assert states([on_kubeflow, record("1", tmp_path)]) == {"2": "running", "1": "died"}
    with output_lock(tmp_path, "me"):
        assert states([on_kubeflow, record("1", tmp_path)]) == {"2": "running", "1": "running"}


def test_a_run_whose_lock_is_held_is_running(tmp_path: Path) -> None:
    with output_lock(tmp_path, "me"):
        assert states([record("1", tmp_path)]) == {"1": "running"}


def test_one_lock_is_that_of_the_newest_run_only(tmp_path: Path) -> None:
    with output_lock(tmp_path, "me"):
        assert states([record("2", tmp_path), record("1", tmp_path)]) == {"2": "running", "1": "died"}


def test_a_lock_that_another_process_holds_is_not_that_of_a_process_that_is_gone(tmp_path: Path) -> None:
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)
    with output_lock(tmp_path, "a clean"):
        assert states([record("1", tmp_path, pid=pid, host=os.uname().nodename)]) == {"1": "died"}


def test_of_a_run_on_another_machine_its_record_is_all_there_is(tmp_path: Path) -> None:
    assert states([record("1", tmp_path / "not here")]) == {"1": "running"}
