from __future__ import annotations

from pathlib import Path

from benchmarks.run_command import settings_arguments


def test_files_then_overrides() -> None:
    found = settings_arguments([Path("/a.yaml"), Path("/b.yaml")], {"data.path": Path("/rows.csv"), "x.y": 3})

    assert found == ["-c", "/a.yaml", "-c", "/b.yaml", "--set", "data.path=/rows.csv", "--set", "x.y=3"]
