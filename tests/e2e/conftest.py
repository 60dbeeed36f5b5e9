"""Shipped settings files, run as a user runs them, and the models that they release, asked as a client asks them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
COMMAND = Path(sys.executable).with_name("scalable-tf")


@dataclass(frozen=True)
class ShippedRun:
    """A run of configs/NAME.yaml that has ended."""

    name: str
    output_dir: Path
    ended: subprocess.CompletedProcess[str]

    @property
    def version(self) -> Path:
        """The released version; the run is told where there is none."""
        assert self.ended.returncode == 0, self.ended.stdout + self.ended.stderr
        return self.output_dir / "releases" / self.name / "1"

    @property
    def release(self) -> dict[str, Any]:
        """What release.json says."""
        record: dict[str, Any] = json.loads((self.version / "release.json").read_text())
        return record

    @property
    def overall(self) -> dict[str, Any]:
        """Metrics of all judged rows."""
        metrics: dict[str, Any] = self.release["metrics"]["Overall"]
        return metrics

    @property
    def slices(self) -> dict[str, Any]:
        """Metrics by slice."""
        (found,) = self.output_dir.glob("artifacts/Evaluator/evaluation/*/metrics.json")
        metrics: dict[str, Any] = json.loads(found.read_text())
        return metrics

    def infer(self, data: Path, folder: Path, *overrides: str) -> subprocess.CompletedProcess[str]:
        """Predicts for the rows of a file into a folder, with the settings of the run."""
        command = [str(COMMAND), "infer", "-c", f"configs/{self.name}.yaml", "--out", str(folder)]
        for override in (f"output_dir={self.output_dir}", f"inference.path={data}", *overrides):
            command += ["--set", override]
        return subprocess.run(command, capture_output=True, text=True, cwd=ROOT)

    def predict(self, rows: Sequence[Mapping[str, Any]]) -> np.ndarray:
        """Predictions for rows in the request format, through the released SavedModel."""
        import tensorflow as tf

        signature = tf.saved_model.load(str(self.version)).signatures["predict"]
        inputs = signature.structured_input_signature[1]
        columns = {key: tf.constant([row[key] for row in rows], spec.dtype) for key, spec in inputs.items()}
        predictions: np.ndarray = signature(**columns)["predictions"].numpy()
        return predictions


RunShipped = Callable[..., ShippedRun]


@pytest.fixture(scope="session")
def run_shipped(tmp_path_factory: pytest.TempPathFactory) -> RunShipped:
    """Runs a shipped settings file by name, with overrides such as `data.path=FOLDER`."""

    def run(name: str, *overrides: str) -> ShippedRun:
        output_dir = tmp_path_factory.mktemp(name) / "outputs"
        command = [str(COMMAND), "run", "-c", f"configs/{name}.yaml", "--set", f"output_dir={output_dir}"]
        for override in overrides:
            command += ["--set", override]
        return ShippedRun(name, output_dir, subprocess.run(command, capture_output=True, text=True, cwd=ROOT))

    return run
