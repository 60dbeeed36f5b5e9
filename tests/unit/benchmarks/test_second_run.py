from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from benchmarks.side import _ROOT

SCRIPT = """
import os, sys
import pipeline
if __name__ == "__main__":
    with open("ran", "a") as file:
        file.write(f"{os.getpid()} {pipeline.WHO}")
"""


def test_a_script_runs_twice_in_one_process_with_its_own_packages(tmp_path: Path) -> None:
    """As the stock project: its packages have names of ours."""
    project = tmp_path / "project"
    (project / "pipeline").mkdir(parents=True)
    (project / "pipeline" / "__init__.py").write_text("WHO = 'project'\n")
    (project / "run.py").write_text(SCRIPT)
    places = [tmp_path / "times.json", tmp_path / "first", project]
    command = [sys.executable, "-m", "benchmarks.second_run", "stock", *places, "--", project / "run.py"]
    subprocess.run([str(word) for word in command], cwd=project, env={"PYTHONPATH": str(_ROOT)}, check=True)

    first, second = ((folder / "ran").read_text() for folder in places[1:])
    assert first == second
    assert first.endswith(" project")
    assert set(json.loads(places[0].read_text())) == {"seconds", "cpu_seconds"}
