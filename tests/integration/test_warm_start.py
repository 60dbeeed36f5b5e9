"""Days that arrive one after the other, each trained on from the weights of the day before."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from configs.load import load_settings
from pipeline_testing.pipeline_run import PipelineRun
from pipeline_testing.run_pipeline import RunPipeline

pytestmark = [
    pytest.mark.slow,
    # TFMA divides differences of two models' counts, of which there are few here.
    pytest.mark.filterwarnings("ignore:(divide by zero|invalid value) encountered in divide:RuntimeWarning"),
]

SETTINGS = """\
name: trips
output_dir: FOLDER/output
data: {path: "FOLDER/days/{SPAN}.csv"}
features: {payment: {kind: categorical}}
label: {kind: binary, expression: tips > 0}
model: {hidden_units: [4], cross_layers: 1, embedding_size: 4}
training: {epochs: 1, batch_size: 32, tensorboard: false, warm_start: true, optimizer: {learning_rate: 1.0e-9}}
evaluation: {thresholds: {auc: {lower: 0.0}}, baseline: false}
smoke_check: {enabled: false}
"""
PAYMENTS = {1: ["card", "cash", "cash"], 2: ["voucher", "card", "card", "cash"]}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "days").mkdir()
    for day, payments in PAYMENTS.items():
        numbers = random.Random(day)
        lines = ["trip,payment,tips", *(f"{trip},{numbers.choice(payments)},{trip % 2}" for trip in range(90))]
        (tmp_path / "days" / f"{day}.csv").write_text("\n".join(lines) + "\n")
    (tmp_path / "settings.yaml").write_text(SETTINGS.replace("FOLDER", str(tmp_path)))
    return tmp_path


def run(folder: Path, day: int) -> PipelineRun:
    settings = load_settings([folder / "settings.yaml"], [f"data.span={day}"], {})

    def new(name: str) -> Path:
        made = folder / f"{name}-{len(list(folder.iterdir()))}"
        made.mkdir()
        return made

    return RunPipeline(new)(settings, output_dir=folder / "output")


def predictions(made: PipelineRun, payments: list[str]) -> np.ndarray:
    model = tf.saved_model.load(f"{made['Trainer']['model'].uri}/Format-Serving")
    return model.signatures["predict"](payment=tf.constant(payments))["predictions"].numpy().ravel()


def test_a_day_begins_with_the_weights_of_the_day_before(folder: Path) -> None:
    first, second = run(folder, 1), run(folder, 2)
    known = ["card", "cash", ""]
    # The vocabularies have another order, and the trainings learn next to nothing.
    np.testing.assert_allclose(predictions(second, known), predictions(first, known), atol=1e-4)
    assert second["BaseModel"].artifacts["model"][0].uri == first["Trainer"]["model"].uri

    assert {"Trainer", "Evaluator"} <= set(run(folder, 2).cached)
