"""The benchmark of training at its smallest, with everything real."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.training import main

pytestmark = pytest.mark.timeout(900)


def test_overhead(tmp_path: Path) -> None:
    sizes = ["--rows", "3000", "--batches", "256", "--epochs", "2", "--turns", "1"]
    assert main(["--only", "overhead", "--output", str(tmp_path / "out"), *sizes]) == 0

    (found,) = json.loads((tmp_path / "out" / "training.json").read_text())["overhead"]
    assert found["batch_size"] == 256
    assert found["of_keras_default"] > 0
    assert "ours as a multiple of bare" in (tmp_path / "out" / "training.md").read_text()
