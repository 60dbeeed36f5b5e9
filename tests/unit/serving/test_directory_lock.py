"""The lock on a directory: one holder at a time, and none that outlives its process."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from pathlib import Path

import pytest

from schemas.errors import ReleaseError
from serving.directory_lock import directory_lock


def hold(directory: Path, held: object) -> None:
    with directory_lock(directory):
        held.set()  # type: ignore[attr-defined]
        signal.pause()


def test_a_second_holder_is_told_about_the_first(tmp_path: Path) -> None:
    expected = f"process {os.getpid()} on {os.uname().nodename}"
    with (
        directory_lock(tmp_path),
        pytest.raises(ReleaseError, match=expected),
        directory_lock(tmp_path, timeout=0.0),
    ):
        pass


def test_it_is_free_again_afterwards(tmp_path: Path) -> None:
    with directory_lock(tmp_path):
        pass
    with directory_lock(tmp_path, timeout=0.0):
        pass


def test_it_is_free_again_after_an_error(tmp_path: Path) -> None:
    with pytest.raises(KeyError), directory_lock(tmp_path):
        raise KeyError
    with directory_lock(tmp_path, timeout=0.0):
        pass


def test_a_killed_holder_leaves_it_free(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    held = context.Event()
    process = context.Process(target=hold, args=(tmp_path, held))
    process.start()
    assert held.wait(30)
    process.kill()
    process.join(30)
    with directory_lock(tmp_path, timeout=0.0):
        pass


def test_threads_exclude_each_other(tmp_path: Path) -> None:
    inside, most = 0, 0

    def enter() -> None:
        nonlocal inside, most
        with directory_lock(tmp_path):
            inside += 1
            most = max(most, inside)
            inside -= 1

    threads = [threading.Thread(target=enter) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1
