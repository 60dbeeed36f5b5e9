"""A run whose nodes share their files out among processes gives what one process gives."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest

# Small data are not shared: that limit is taken away, before the nodes are forked.
_RUN = """
import sys
from components.examples import shared_files
from runners.cli import main
shared_files._WORTH_SHARING = 0
sys.exit(main(sys.argv[1:]))
"""
_SETTINGS = ("data.block_bytes=400000", "training.epochs=1")
_SETTINGS = ("data.block_bytes=400000", "training.epochs=1")
_SAME = ("FeatureStats.pb", "company", "payment_type", "metrics.json", ".arrow", ".gz")


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
        found[processes] = _digests(folder / "artifacts")
        logs = "".join(path.read_text() for path in folder.glob("logs/*/*.log"))
        assert "TFX's own executor" not in logs
    assert len([name for name in found[1] if name.startswith("ExampleGen") and name.endswith(".gz")]) > 6
    assert {name.split("/")[0] for name in found[1]} >= {"StatisticsGen", "Transform", "Evaluator"}
    assert found[3] == found[1]


def _digests(artifacts: Path) -> dict[str, str]:
    """Of the files whose bytes the data decide, by node, output and path below the artifact's own folder."""
    found = {}
    for path in sorted(artifacts.rglob("*")):
        # tfx_bsl serializes transformed examples with their features in any order.
        if path.is_file() and path.name.endswith(_SAME) and not path.match("transformed_examples-*.gz"):
            node, output, _, *below = path.relative_to(artifacts).parts
            found["/".join((node, output, *below))] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found
