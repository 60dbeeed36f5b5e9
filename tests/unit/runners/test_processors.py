from __future__ import annotations

import os
from pathlib import Path

import pytest

from runners.processors import processors

OWN = len(os.sched_getaffinity(0))


@pytest.mark.parametrize(
    ("text", "expected"),
    [("100000 100000\n", 1), ("50000 100000\n", 1), ("max 100000\n", OWN), ("100000000 100000\n", OWN), ("", OWN)],
)
def test_a_quota_limits_the_processors(tmp_path: Path, text: str, expected: int) -> None:
    (tmp_path / "cpu.max").write_text(text)
    assert processors(tmp_path / "cpu.max") == expected


def test_without_control_groups(tmp_path: Path) -> None:
    assert processors(tmp_path / "none") == OWN
