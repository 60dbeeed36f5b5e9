"""A run whose nodes share their files out among processes gives what one process gives."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.digests import digests

# Small data are not shared: that limit is taken away, before the nodes are forked.
_RUN = """
import sys
from components.examples import shared_files
from runners.cli import main
shared_files._WORTH_SHARING = 0
sys.exit(main(sys.argv[1:]))
"""
_SETTINGS = ("data.block_bytes=400000", "training.epochs=1", "smoke_check.enabled=false")


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_results_do_not_depend_on_the_number_of_processes(tmp_path: Path) -> None:
    found = {}
    for processes in (1, 3):
        folder = tmp_path / str(processes)
        settings = (f"output_dir={folder}", f"engine.processes={processes}", *_SETTINGS)
        arguments = [argument for setting in settings for argument in ("--set", setting)]
        command = [sys.executable, "-c", _RUN, "run", "-c", "configs/taxi.yaml", "--force-bless", "short", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        found[processes] = digests(folder / "artifacts")
        logs = "".join(path.read_text() for path in folder.glob("logs/*/*.log"))
        assert "TFX's own executor" not in logs
    assert len([name for name in found[1] if name.startswith("ExampleGen") and name.endswith(".gz")]) > 6
    assert {name.split("/")[0] for name in found[1]} >= {"StatisticsGen", "Transform", "Evaluator"}
    assert found[3] == found[1]
