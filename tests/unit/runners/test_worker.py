from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from runners.worker import Worker
from schemas.errors import DataError, RunError


def finish(worker: Worker) -> Worker:
    while not worker.poll():
        time.sleep(0.005)
    return worker


def test_gives_what_the_work_returned(tmp_path: Path) -> None:
    worker = finish(Worker("Node", tmp_path / "log", lambda: {"answer": 42}))
    assert worker.result() == {"answer": 42}


def test_work_runs_in_another_process(tmp_path: Path) -> None:
    worker = finish(Worker("Node", tmp_path / "log", lambda: {"pid": os.getpid()}))
    assert worker.result()["pid"] == worker.pid != os.getpid()


def test_a_result_larger_than_a_pipe_arrives_whole(tmp_path: Path) -> None:
    worker = finish(Worker("Node", tmp_path / "log", lambda: {"text": "x" * 1_000_000}))
    assert worker.result() == {"text": "x" * 1_000_000}


def test_output_of_the_work_and_of_its_children_goes_to_the_log(tmp_path: Path) -> None:
    def work() -> dict[str, Any]:
        sys.stdout.write("from python\n")
        subprocess.run([sys.executable, "-c", "print('from a child')"], check=True)
        os.write(2, b"from a file descriptor\n")
        return {}

    finish(Worker("Node", tmp_path / "log", work))
    assert sorted((tmp_path / "log").read_text().splitlines()) == [
        "from a child",
        "from a file descriptor",
        "from python",
    ]


def test_a_users_mistake_arrives_as_it_was_raised(tmp_path: Path) -> None:
    def work() -> dict[str, Any]:
        raise DataError("Too few fields.", where="a.csv, line 3", received=2, fix="Mend the line.")

    worker = finish(Worker("Node", tmp_path / "log", work))
    with pytest.raises(DataError, match="Too few fields") as caught:
        worker.result()
    assert str(caught.value) == str(
        DataError("Too few fields.", where="a.csv, line 3", received=2, fix="Mend the line.")
    )


def test_a_users_mistake_is_found_behind_a_frameworks_error(tmp_path: Path) -> None:
    def work() -> dict[str, Any]:
        try:
            raise DataError("Too few fields.")
        except DataError as error:
            raise RuntimeError("bundle failed") from error

    with pytest.raises(DataError, match="Too few fields") as caught:
        finish(Worker("Node", tmp_path / "log", work)).result()
    assert caught.value.where == "node Node"


def test_any_other_failure_names_the_log_which_has_the_traceback(tmp_path: Path) -> None:
    def work() -> dict[str, Any]:
        raise ZeroDivisionError("one by zero")

    worker = finish(Worker("Node", tmp_path / "log", work))
    with pytest.raises(RunError, match="The node failed") as caught:
        worker.result()
    assert caught.value.received == "ZeroDivisionError: one by zero"
    assert str(tmp_path / "log") in caught.value.fix
    assert "Traceback" in (tmp_path / "log").read_text()


def test_a_failure_on_another_worker_is_told_by_the_end_of_its_traceback(tmp_path: Path) -> None:
    def work() -> dict[str, Any]:
        raise RuntimeError(
            "Pipeline taxi failed in state FAILED: java.lang.RuntimeException: Traceback (most recent call last):\n"
            '  File "worker.py", line 1, in process\n'
            "    1 / 0\n"
            "ZeroDivisionError: division by zero [while running 'Divide']\n"
        )

    with pytest.raises(RunError, match="The node failed") as caught:
        finish(Worker("Node", tmp_path / "log", work)).result()
    assert caught.value.received == "RuntimeError: ZeroDivisionError: division by zero [while running 'Divide']"


def test_a_log_on_a_full_disk_hides_no_error() -> None:
    def work() -> dict[str, Any]:
        raise DataError("Too few fields.")

    with pytest.raises(DataError, match="Too few fields"):
        finish(Worker("Node", Path("/dev/full"), work)).result()


def test_what_the_disk_refuses_is_told_with_its_path(tmp_path: Path) -> None:
    def work() -> dict[str, Any]:
        with open("/dev/full", "w") as file:
            file.write("x")
        return {}

    with pytest.raises(RunError, match=rf"The disk is full.\n  Where: {tmp_path}\n.*; the disk at /"):
        finish(Worker("Node", tmp_path / "log", work)).result()


def test_memory_of_the_work_is_measured(tmp_path: Path) -> None:
    def work() -> dict[str, Any]:
        return {"size": len(bytearray(300 << 20))}

    assert finish(Worker("Node", tmp_path / "log", work)).usage.peak_mib > 300


def test_a_killed_process_is_named_as_such(tmp_path: Path) -> None:
    worker = Worker("Node", tmp_path / "log", lambda: time.sleep(60) or {})
    os.kill(worker.pid, signal.SIGKILL)
    with pytest.raises(RunError, match="killed by SIGKILL"):
        finish(worker).result()
    assert worker.killed


def test_an_ended_worker_may_be_asked_and_stopped_again(tmp_path: Path) -> None:
    worker = finish(Worker("Node", tmp_path / "log", lambda: {"answer": 42}))
    assert worker.poll()
    worker.stop()
    assert worker.result() == {"answer": 42}
    assert not worker.killed


def test_stop_ends_the_children_of_the_work_too(tmp_path: Path) -> None:
    def work() -> dict[str, Any]:
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
        (tmp_path / "pid").write_text(str(child.pid))
        child.wait()
        return {}

    worker = Worker("Node", tmp_path / "log", work)
    while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text():
        time.sleep(0.005)
    worker.stop()
    assert is_gone(int((tmp_path / "pid").read_text()))


def test_the_work_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    script = f"""
import sys, time
from pathlib import Path
from runners.worker import Worker
worker = Worker("Node", Path({str(tmp_path / "log")!r}), lambda: time.sleep(60) or {{}})
print(worker.pid, flush=True)
time.sleep(60)
"""
    parent = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, cwd=Path(__file__).parents[3], text=True
    )
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    parent.stdout.close()
    assert is_gone(pid)


def is_gone(pid: int) -> bool:
    for _ in range(1000):
        try:
            if Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z":
                return True
        except FileNotFoundError:
            return True
        time.sleep(0.01)
    return False
