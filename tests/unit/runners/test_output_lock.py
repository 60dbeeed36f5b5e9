from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from runners.output_lock import output_lock, output_lock_holder
from schemas.errors import RunError, SettingsError


@pytest.fixture
def _no_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever comes second is told at once."""
    monkeypatch.setattr("runners.file_lock._PATIENCE", 0.0)


@pytest.mark.usefixtures("_no_patience")
def test_a_second_holder_is_told_about_the_first(tmp_path: Path) -> None:
    with (
        output_lock(tmp_path, "process 1 on here"),
        pytest.raises(RunError, match="Another run") as caught,
        output_lock(tmp_path, "process 2 on here"),
    ):
        pass
    assert caught.value.received == "process 1 on here"


def test_the_lock_is_free_afterwards(tmp_path: Path) -> None:
    for number in range(2):
        with output_lock(tmp_path / "new", f"process {number}"):
            assert output_lock_holder(tmp_path / "new") == f"process {number}"
    assert output_lock_holder(tmp_path / "new") is None
    assert output_lock_holder(tmp_path / "nowhere") is None


@pytest.mark.usefixtures("_no_patience")
def test_those_who_share_it_keep_others_out(tmp_path: Path) -> None:
    with (
        output_lock(tmp_path, "a node", shared=True),
        output_lock(tmp_path, "another node", shared=True),
        pytest.raises(RunError, match="Another run"),
        output_lock(tmp_path, "a run"),
    ):
        pass


def test_a_killed_holder_leaves_it_free(tmp_path: Path) -> None:
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        with output_lock(tmp_path, "the child"):
            os.write(write, b"held")
            signal.pause()
    os.read(read, 4)
    assert output_lock_holder(tmp_path) == "the child"
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    with output_lock(tmp_path, "the parent"):
        pass


def test_a_folder_that_cannot_be_made_is_the_settings_mistake() -> None:
    with pytest.raises(SettingsError, match="cannot be written") as caught, output_lock(Path("/proc/nowhere"), "me"):
        pass
    assert caught.value.where == "output_dir"
