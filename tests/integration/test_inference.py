"""scalable-tf infer: a model is trained and blessed once, and predicts for rows that have no label."""

from __future__ import annotations

import json
import os
import re
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet
import pytest
import tensorflow as tf

from components.bulk_inferrer.manifest import MANIFEST
from tests.integration.command_server import Command, CommandServer, wait_until_gone
from tests.integration.trips import write_trips

ROWS = 300


@dataclass
class Trained:
    """A pipeline with a released model, and the days to predict for."""

    commands: CommandServer
    settings: Path

    @property
    def output(self) -> Path:
        return self.settings.parent / "output"

    @property
    def new(self) -> Path:
        return self.settings.parent / "new"

    def arguments(self, *options: str) -> list[str]:
        path = f"inference.path={self.new}/day-{{SPAN}}.csv"
        return ["infer", "-c", str(self.settings), "--set", path, *options]

    def infer(self, *options: str, code: int = 0) -> Command:
        command = self.commands.run(self.arguments(*options))
        assert command.wait() == code, command.text
        return command

    def show(self, *argv: str) -> Any:
        command = self.commands.run([*argv, "-c", str(self.settings), "--json"])
        assert command.wait() == 0, command.text
        return json.loads(command.stdout.read_text())


def write_day(trained: Trained, day: int, rows: int = ROWS) -> None:
    """Rows without the label's column, with a number of their own; some values are missing."""
    numbers = np.random.default_rng(day)
    fares, payments = numbers.uniform(3, 40, rows).round(2), numbers.choice(["Cash", "Credit Card", ""], rows)
    lines = ["trip,payment,fare,miles"]
    for number, (fare, payment) in enumerate(zip(fares, payments, strict=True)):
        lines.append(f"{number:05d},{payment},{fare if number % 7 else ''},{fare / 3:.1f}")
    trained.new.mkdir(exist_ok=True)
    (trained.new / f"day-{day}.csv").write_text("\n".join(lines) + "\n")


@pytest.fixture(scope="module")
def trained(commands: CommandServer, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    made = Trained(commands, write_trips(tmp_path_factory.mktemp("trips")))
    for day in (1, 2):
        write_day(made, day)
    refused = made.infer(code=1)
    assert "There is no blessed model yet" in refused.text
    assert "scalable-tf run -c FILE" in refused.text
    assert not (made.output / "predictions").exists()
    command = commands.run(["run", "-c", str(made.settings)])
    assert command.wait() == 0, command.text
    return made


def served(trained: Trained, day: int) -> np.ndarray[Any, Any]:
    """What the released model answers, as its clients ask it."""
    lines = (trained.new / f"day-{day}.csv").read_text().splitlines()[1:]
    rows = [line.split(",") for line in lines]
    predict = tf.saved_model.load(str(trained.output / "releases/trips/1")).signatures["predict"]
    answer = predict(
        fare=tf.constant([float(row[2] or "nan") for row in rows]),
        miles=tf.constant([float(row[3]) for row in rows]),
        payment=tf.constant([row[1] for row in rows]),
    )
    found: np.ndarray[Any, Any] = answer["predictions"].numpy()[:, 0]
    return found


def test_predictions_of_the_newest_span_are_those_of_the_served_model(trained: Trained) -> None:
    command = trained.infer("--set", "inference.id_columns=[trip]")
    folder = trained.output / "predictions" / "2"
    assert f"Predictions: {folder} (1 file)" in command.text
    assert "300 predicted, 0 rejected, of 300" in command.text
    found = pyarrow.parquet.read_table(folder)
    assert found.column_names == ["row_id", "trip", "probability"]
    assert found["row_id"].to_pylist() == [f"day-2.csv:{line}" for line in range(2, ROWS + 2)]
    assert found["trip"].to_pylist() == [f"{number:05d}" for number in range(ROWS)]
    np.testing.assert_allclose(found["probability"].to_numpy(), served(trained, 2), atol=1e-6)
    manifest = json.loads((folder / MANIFEST).read_text())
    assert (manifest["data"]["span"], manifest["model"]["release"]) == (2, 1)


def test_another_engine_gives_the_same_bytes(trained: Trained, tmp_path: Path) -> None:
    for engine in ("inline", "direct"):
        options = ("--set", "runner.cache=false", "--set", "data.block_bytes=65536")
        trained.infer("--span", "1", "--engine", engine, "--out", str(tmp_path / engine), *options)
    one, other = (
        {path.name: path.read_bytes() for path in folder.glob("predictions-*")} for folder in tmp_path.iterdir()
    )
    assert len(one) == 1
    assert one == other


def test_an_unchanged_second_time_comes_from_the_cache(trained: Trained, tmp_path: Path) -> None:
    trained.infer("--out", str(tmp_path / "first"))
    command = trained.infer("--out", str(tmp_path / "second"))
    states = dict(re.findall(r"^  (\w+) +(complete|cached) ", command.text, re.M))
    assert states == {"BlessedModel": "complete", "InferExampleGen": "cached", "BulkInferrer": "cached"}
    assert sorted(os.listdir(tmp_path / "second")) == sorted(os.listdir(tmp_path / "first"))


def test_a_new_day_is_another_one_and_its_predictions_replace_no_other(trained: Trained) -> None:
    trained.infer("--span", "1")
    one = (trained.output / "predictions/1" / MANIFEST).read_bytes()
    trained.infer("--span", "2")
    assert (trained.output / "predictions/1" / MANIFEST).read_bytes() == one


def test_the_run_is_recorded_with_what_it_read(trained: Trained) -> None:
    trained.infer()
    newest = trained.show("runs", "list")[0]
    assert (newest["purpose"], newest["state"], newest["nodes"]) == ("inference", "complete", 3)
    inferrer = trained.show("runs", "show", newest["run_id"])["nodes"][2]
    assert inferrer["node"] == "BulkInferrer"
    assert [one["type"] for one in inferrer["inputs"]] == ["Examples", "Model"]
    assert [one["type"] for one in inferrer["outputs"]] == ["InferenceResult"]
    assert "Trainer/model" in inferrer["inputs"][1]["uri"]


def test_training_goes_on_as_if_nothing_had_been_predicted(trained: Trained) -> None:
    trained.infer()
    command = trained.commands.run(["run", "-c", str(trained.settings), "--from", "StatisticsGen"])
    assert command.wait() == 0, command.text
    states = dict(re.findall(r"^  (\w+) +(complete|cached|kept)\b", command.text, re.M))
    assert states.pop("LatestBlessed") == "complete"
    assert set(states.values()) == {"cached", "kept"}


def test_bad_rows_are_told_as_in_training(trained: Trained, tmp_path: Path) -> None:
    (tmp_path / "new.csv").write_text("payment,fare\nCash,3\n")
    command = trained.infer("--set", f"inference.path={tmp_path}/new.csv", "--out", str(tmp_path / "out"), code=1)
    assert "Column 'miles' is missing; it is read by feature 'miles'" in command.text
    assert not (tmp_path / "out").exists()


def test_errors_name_the_settings_of_the_inference(trained: Trained) -> None:
    command = trained.infer("--set", f"inference.path={trained.new}/day-3.csv", code=1)
    assert f"Where: inference.path\n  Received: {trained.new}/day-3.csv" in command.text
    command = trained.infer("--span", "3", code=1)
    assert "Set inference.span to one of the spans that are there" in command.text


def test_a_killed_run_leaves_no_folder_and_is_continued(trained: Trained, tmp_path: Path) -> None:
    target = tmp_path / "out"
    options = ("--set", "inference.signature=serving_default", "--set", "runner.cache=false", "--out", str(target))
    results = trained.output / "artifacts/BulkInferrer/inference_result"
    before = set(results.glob("*"))
    command = trained.commands.start(trained.arguments(*options))
    deadline = time.monotonic() + 240
    while not set(results.glob("*")) - before:
        assert time.monotonic() < deadline, command.text
        time.sleep(0.002)
    workers = command.children()
    command.signal(signal.SIGKILL)
    assert command.wait() == -signal.SIGKILL, command.text
    assert wait_until_gone(workers) == []
    assert os.listdir(tmp_path) == []
    trained.infer(*options, "--resume")
    assert pyarrow.parquet.read_table(target).num_rows == ROWS
    assert os.listdir(tmp_path) == ["out"]
