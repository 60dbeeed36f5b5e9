"""Models are compared with earlier ones of the same label only, through the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

SETTINGS = """\
name: trips
output_dir: OUTPUT/run
data: {path: OUTPUT/data.csv}
features:
  fare: {kind: numeric}
label: {kind: binary, expression: tips > 1}
model: {hidden_units: [4]}
training: {epochs: 1, batch_size: 32}
evaluation: {change_thresholds: {loss: {absolute: 100}}}
smoke_check: {enabled: false}
"""
ROWS = "fare,tips\n" + "".join(f"{n}.25,{n % 3}\n" for n in range(200))


@pytest.fixture(scope="module")
def runs(run_all: Any, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], Path]:
    folder = tmp_path_factory.mktemp("label")
    (folder / "settings.yaml").write_text(SETTINGS.replace("OUTPUT", str(folder)))
    (folder / "data.csv").write_text(ROWS)
    run = ["run", "-c", str(folder / "settings.yaml")]
    return run_all({
        "first": run,
        # Three classes: their loss is no binary one, and a binary model cannot be held to them.
        "other label": [*run, "--set", "label={kind: integer, column: tips, classes: 3}"],
        "other model": [*run, "--set", "model.hidden_units=[5]"],
    }), folder  # fmt: skip


def release(folder: Path, version: int) -> dict[str, Any]:
    return json.loads((folder / f"run/releases/trips/{version}/release.json").read_text())


def test_a_model_of_another_label_has_no_baseline(runs: tuple[dict[str, Any], Path]) -> None:
    ended = runs[0]["other label"]
    assert ended.code == 0, ended.stdout + ended.stderr
    blessing = release(runs[1], 2)["blessing"]
    assert (blessing["baseline"], blessing["unchecked"]) == (None, ["loss"])


def test_a_model_of_the_first_label_is_compared_with_the_first(runs: tuple[dict[str, Any], Path]) -> None:
    ended = runs[0]["other model"]
    assert ended.code == 0, ended.stdout + ended.stderr
    baseline = release(runs[1], 3)["blessing"]["baseline"]
    oldest = min((runs[1] / "run/artifacts/Trainer/model").iterdir(), key=lambda path: int(path.name))
    assert baseline == str(oldest)
