from __future__ import annotations

import pstats
from pathlib import Path
from typing import Any

import pytest

from models.execution_trace import TRACED
from runners.node_profile import profiled


def count_to(number: int) -> int:
    return sum(range(number))


def calls(file: Path) -> dict[str, int]:
    statistics: Any = pstats.Stats(str(file))
    return {name: times[1] for (_, _, name), times in statistics.stats.items()}


def test_what_was_called_is_counted(tmp_path: Path) -> None:
    with profiled(tmp_path / "profiles", "Trainer"):
        for number in range(3):
            count_to(number)
    assert calls(tmp_path / "profiles" / "Trainer.pstats")["count_to"] == 3


def test_the_text_says_what_the_process_took_and_which_functions(tmp_path: Path) -> None:
    with profiled(tmp_path / "profiles", "Trainer"):
        count_to(3)
    text = (tmp_path / "profiles" / "Trainer.txt").read_text()
    assert text.startswith("Trainer: 0.")
    assert "s of processor time" in text
    assert "peak memory" in text
    assert "(count_to)" in text


def test_nothing_else_is_left(tmp_path: Path) -> None:
    with profiled(tmp_path / "profiles", "Trainer"):
        count_to(3)
    assert sorted(path.name for path in (tmp_path / "profiles").iterdir()) == ["Trainer.pstats", "Trainer.txt"]


def test_a_node_that_fails_is_profiled_and_fails(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), profiled(tmp_path, "Trainer"):
        count_to(1 // 0)
    assert (tmp_path / "Trainer.pstats").is_file()


def test_a_profile_that_cannot_be_written_does_not_fail_the_node(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").touch()
    with profiled(tmp_path / "file" / "profiles", "Trainer"):
        count_to(3)
    assert "could not be written" in caplog.text


def test_trainings_are_traced_meanwhile(tmp_path: Path) -> None:
    with profiled(tmp_path, "Trainer"):
        assert TRACED.get()
    assert not TRACED.get()
