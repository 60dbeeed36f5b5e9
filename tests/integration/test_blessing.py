"""What decides whether a model is released, through the command line: thresholds, force, cache, and the exit code."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

SETTINGS = """\
name: trips
output_dir: OUTPUT/run
data: {path: OUTPUT/data.csv}
features:
  fare: {kind: numeric}
  payment: {kind: categorical}
label: {kind: binary, expression: tips > 1}
model: {hidden_units: [4]}
training: {epochs: 2, batch_size: 32}
evaluation: {thresholds: {auc: {lower: 0.999}}, slices: [[payment]]}
smoke_check: {enabled: false}
"""


def rows(count: int) -> str:
    """Cards tip, cash mostly does not; a payment that looks like the terminal's markup must do no harm."""
    draw = random.Random(5)
    lines = ["fare,payment,tips"]
    for number in range(count):
        payment = draw.choice(["cash", "card", "[/bold]"])
        tips = 2 if draw.random() < (0.8 if payment == "card" else 0.2) else 0
        lines.append(f"{number % 50}.25,{payment},{tips}")
    return "\n".join(lines) + "\n"


@pytest.fixture(scope="module")
def runs(run_all: Any, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], Path]:
    folder = tmp_path_factory.mktemp("blessing")
    (folder / "settings.yaml").write_text(SETTINGS.replace("OUTPUT", str(folder)))
    (folder / "data.csv").write_text(rows(400))
    run = ["run", "-c", str(folder / "settings.yaml")]
    return run_all({
        "refused": run,
        "forced": [*run, "--force-bless", "a [test] of force"],
        "forced again": [*run, "--force-bless", "a [test] of force"],
        "other engine": [*run, "--force-bless", "a [test] of force", "--engine", "direct"],
        "other model": [*run, "--set", "model.hidden_units=[5]", "--set", "evaluation.thresholds.auc.lower=0.5"],
        "other engine that is none": [*run, "--engine", "abacus"],
    }), folder  # fmt: skip


def states(stdout: str) -> dict[str, str]:
    fields = [line.split() for line in stdout.splitlines() if line.startswith("  ")]
    return {field[0]: field[1] for field in fields if len(field) > 1 and field[1] in ("complete", "cached", "failed")}


def test_a_model_below_a_threshold_is_not_released_and_the_exit_code_says_so(runs: tuple[dict[str, Any], Path]) -> None:
    ended = runs[0]["refused"]
    assert ended.code == 3, ended.stdout + ended.stderr
    assert "Not blessed" in ended.stdout
    assert "auc is" in ended.stdout
    assert "--force-bless" in ended.stdout
    assert "payment:[/bold]" in ended.stdout


def test_a_forced_model_is_released_with_the_reason_and_nothing_but_the_judgement_is_made_anew(
    runs: tuple[dict[str, Any], Path],
) -> None:
    ended = runs[0]["forced"]
    assert ended.code == 0, ended.stdout + ended.stderr
    assert "a [test] of force" in ended.stdout
    assert {node for node, state in states(ended.stdout).items() if state != "cached"} == {
        "LatestBlessed", "Evaluator", "Pusher",
    }  # fmt: skip
    release = json.loads((runs[1] / "run/releases/trips/1/release.json").read_text())
    assert release["blessing"]["forced"] == "a [test] of force"
    assert release["blessing"]["failures"][0]["metric"] == "auc"


def test_an_unchanged_run_is_taken_from_the_cache_also_on_another_engine(runs: tuple[dict[str, Any], Path]) -> None:
    for name in ("forced again", "other engine"):
        assert runs[0][name].code == 0
        assert {node for node, state in states(runs[0][name].stdout).items() if state != "cached"} <= {"LatestBlessed"}


def test_another_model_is_trained_on_cached_features_and_compared_with_the_forced_one(
    runs: tuple[dict[str, Any], Path],
) -> None:
    ended = runs[0]["other model"]
    assert ended.code == 0, ended.stdout + ended.stderr
    assert states(ended.stdout)["Transform"] == "cached"
    assert states(ended.stdout)["Trainer"] == "complete"
    assert "Trainer/model/" in next(line for line in ended.stdout.splitlines() if line.startswith("Baseline:"))
    versions = sorted(path.name for path in (runs[1] / "run/releases/trips").iterdir() if path.name.isdigit())
    assert versions == ["1", "2"]


def test_an_engine_that_does_not_exist_is_an_error_that_names_those_that_do(runs: tuple[dict[str, Any], Path]) -> None:
    ended = runs[0]["other engine that is none"]
    assert ended.code == 1
    assert "abacus" in ended.stderr
    assert "direct" in ended.stderr
