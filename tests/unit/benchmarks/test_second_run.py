from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from benchmarks import second_run


@pytest.mark.parametrize("side", ["stock", "ours"])
def test_each_run_has_an_output_dir_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, side: str) -> None:
    runs: list[Sequence[str]] = []
    monkeypatch.setitem(second_run._SIDES, side, runs.append)
    times, first, second = (tmp_path / name for name in ("times.json", "first", "second"))

    second_run.main([side, str(times), str(first), str(second), "--", "-c", "taxi.yaml"])

    assert runs == [["-c", "taxi.yaml", "--set", f"output_dir={folder}"] for folder in (first, second)]
    assert set(json.loads(times.read_text())) == {"seconds", "cpu_seconds"}
