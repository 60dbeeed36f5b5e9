"""Days that arrive one after the other: each is ingested once, and later windows train on it."""

from __future__ import annotations

import datetime
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf
import tensorflow_transform as tft

from configs.load import load_settings
from pipeline_testing.pipeline_run import PipelineRun
from pipeline_testing.run_pipeline import RunPipeline
from schemas.errors import AnomalyError, DataError

pytestmark = [
    pytest.mark.slow,
    # TFMA divides differences of two models' counts, of which there are few here.
    pytest.mark.filterwarnings("ignore:(divide by zero|invalid value) encountered in divide:RuntimeWarning"),
]

SETTINGS = """\
name: trips
output_dir: FOLDER/output
data: {path: "FOLDER/days/{YYYY}-{MM}-{DD}.csv"}
schema: {path: FOLDER/schema.pbtxt}
window: {spans: 4, minimum: 2, max_gaps: 1}
features:
  fare: {kind: numeric}
  payment: {kind: categorical}
label: {kind: binary, expression: tips > 0.15 * fare}
model: {hidden_units: [8], cross_layers: 1}
training: {epochs: 4, batch_size: 32, backup_seconds: 0, tensorboard: false, optimizer: {learning_rate: 0.02}}
evaluation: {thresholds: {auc: {lower: 0.6}}}
smoke_check: {enabled: false}
"""
SCHEMA = "".join(
    f'feature {{ name: "{name}" type: {kind} presence {{ min_fraction: 1.0 }} value_count {{ min: 1 max: 1 }} }}\n'
    for name, kind in (("fare", "FLOAT"), ("payment", "BYTES"), ("tips", "FLOAT"))
)
ROWS = {1: 90, 2: 120, 3: 60, 4: 150, 5: 90}
REFUSED, DRIFTED = 3, 5
FIRST = datetime.date(2024, 3, 1)


def span(day: int) -> int:
    return (FIRST - datetime.date(1970, 1, 1)).days + day - 1


def write_day(folder: Path, day: int) -> None:
    numbers = random.Random(day)
    lines = ["fare,payment,tips"]
    for row in range(ROWS[day]):
        payment = numbers.choice(["Cash", "Credit Card", f"Voucher {day if row % 9 == 0 else 1}"])
        fare = round(numbers.uniform(3, 40), 2) * (50 if day == DRIFTED else 1)
        tips = round(fare * numbers.uniform(0.1, 0.4), 2) if payment == "Credit Card" else 0.0
        lines.append(f"{fare},{'' if day == REFUSED and row < 9 else payment},{tips}")
    (folder / f"{FIRST + datetime.timedelta(days=day - 1)}.csv").write_text("\n".join(lines) + "\n")


class Days:
    """Runs of one pipeline in a folder of its own, and what its nodes logged."""

    def __init__(self, folder: Path, output: str, log: list[str]) -> None:
        self._folder, self._output, self._log = folder, folder / output, log
        self._runs = 0

    def run(self, day: int | None, *overrides: str, to: str | None = None) -> tuple[PipelineRun, list[str]]:
        """A run of a day's span; a failure is in it. Returns it with what was logged meanwhile."""
        chosen = [] if day is None else [f"data.span={span(day)}"]
        settings = load_settings([self._folder / "settings.yaml"], [*chosen, *overrides], {})
        self._log.clear()
        made = RunPipeline(self._new_folder)(settings, to=to, output_dir=self._output, check=False)
        return made, list(self._log)

    def _new_folder(self, name: str) -> Path:
        self._runs += 1
        folder = self._folder / f"{self._output.name}-{name}-{self._runs}"
        folder.mkdir()
        return folder


@pytest.fixture(scope="module")
def log() -> Iterator[list[str]]:
    lines: list[str] = []

    def keep(text: str, *values: object, **_: object) -> None:
        lines.append(text % values)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("absl.logging.info", keep)
        patched.setattr("components.span_window.strategy._LOG.info", keep)
        yield lines


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("days")
    (folder / "days").mkdir()
    for day in ROWS:
        write_day(folder / "days", day)
    (folder / "schema.pbtxt").write_text(SCHEMA)
    (folder / "settings.yaml").write_text(SETTINGS.replace("FOLDER", str(folder)))
    return folder


@pytest.fixture(scope="module")
def days(folder: Path, log: list[str]) -> Days:
    return Days(folder, "output", log)


@pytest.fixture(scope="module")
def runs(days: Days) -> dict[int, tuple[PipelineRun, list[str]]]:
    """The first four days, as they come."""
    return {day: days.run(day) for day in (1, 2, REFUSED, 4)}


def spans(run: PipelineRun, node: str, key: str) -> list[int]:
    return sorted(artifact.span for artifact in run[node].artifacts.get(key, []))


def records(artifact: Any, split: str) -> int:
    files = tf.io.gfile.glob(f"{artifact.uri}/Split-{split}/*")
    return sum(1 for _ in tf.data.TFRecordDataset(files, compression_type="GZIP"))


def metrics(run: PipelineRun) -> dict[str, float]:
    """Of the candidate itself; not how it compares with the baseline, of which there may be none."""
    overall = run.metrics["Overall"]
    found = {name: value for name, value in overall.items() if isinstance(value, float) and "diff" not in name}
    assert "auc" in found
    return found


def graph(run: PipelineRun) -> tuple[list[bytes], Any]:
    """Vocabulary, and what the graph makes of some values."""
    output = tft.TFTransformOutput(run["Transform"]["transform_graph"].uri)
    layer = output.transform_features_layer()
    raw = {
        "fare": tf.sparse.from_dense([[3.5], [20.0]]),
        "payment": tf.sparse.from_dense([["Cash"], ["Voucher 4"]]),
    }
    made = {name: value.numpy().tolist() for name, value in layer(raw).items()}
    return output.vocabulary_by_name("payment"), made


def test_too_few_spans_are_an_error_that_says_so(runs: dict[int, tuple[PipelineRun, list[str]]]) -> None:
    error = runs[1][0].error
    assert isinstance(error, DataError)
    assert error.what == "The window has 1 span, and window.minimum asks for 2."
    assert "2024-03-01" in error.where


def test_a_day_trains_on_the_accepted_spans_of_its_window(runs: dict[int, tuple[PipelineRun, list[str]]]) -> None:
    assert isinstance(runs[REFUSED][0].error, AnomalyError)
    run = runs[4][0]
    assert run.error is None
    expected = [span(1), span(2), span(4)]
    assert spans(run, "SpanWindow", "examples") == expected
    assert spans(run, "Transform", "transformed_examples") == expected
    assert run.release is not None
    assert list(run.release.spans) == expected
    transformed = run["Transform"].artifacts["transformed_examples"]
    rows = sum(records(artifact, split) for artifact in transformed for split in ("train", "eval"))
    assert rows == ROWS[1] + ROWS[2] + ROWS[4]


def test_the_newest_span_alone_is_evaluated(runs: dict[int, tuple[PipelineRun, list[str]]]) -> None:
    run = runs[4][0]
    counted = run.metrics["Overall"]["example_count"]
    assert counted == records(run["ExampleGen"]["examples"], "eval")


def test_only_the_new_span_is_ingested_and_analysed(runs: dict[int, tuple[PipelineRun, list[str]]]) -> None:
    run, told = runs[4]
    assert run.cached == ["ImportSchemaGen"]
    assert spans(run, "ExampleGen", "examples") == [span(4)]
    assert [line.split(":")[0] for line in told if line.startswith("Ingesting")] == ["Ingesting 1 files"]
    (analysed,) = (line for line in told if "datasets; those of" in line)
    assert "of 1 datasets; those of 2 others are in the cache" in analysed
    cache = Path(run["Transform"]["updated_analyzer_cache"].uri)
    assert len(list(cache.iterdir())) == 3


def test_an_unchanged_second_run_is_all_cached(runs: dict[int, tuple[PipelineRun, list[str]]], days: Days) -> None:
    run, told = days.run(4)
    assert run.error is None
    assert set(run) - set(run.cached) == {"SpanWindow", "LatestBlessed"}
    assert not any("datasets; those of" in line for line in told)


def test_the_graph_is_that_of_one_run_over_the_same_files(
    runs: dict[int, tuple[PipelineRun, list[str]]], folder: Path, log: list[str]
) -> None:
    together = folder / "together"
    together.mkdir()
    for day in (1, 2, 4):
        write_day(together, day)
    run, _ = Days(folder, "single", log).run(
        None, "window={spans: 1, minimum: 1, max_gaps: 0}", f"data.path={together}", to="Transform"
    )
    assert run.error is None
    (vocabulary, made), (expected_vocabulary, expected) = graph(runs[4][0]), graph(run)
    assert vocabulary == expected_vocabulary
    assert b"Voucher 4" in vocabulary
    for name, values in expected.items():
        assert tf.reduce_all(tf.abs(tf.constant(made[name], tf.float64) - tf.constant(values, tf.float64)) < 1e-6), name


def test_another_order_of_ingestion_gives_the_same_model(
    runs: dict[int, tuple[PipelineRun, list[str]]], folder: Path, log: list[str]
) -> None:
    backfilled = Days(folder, "backfilled", log)
    for day in (4, 2, 1):  # what was refused is a gap like one that never came
        backfilled.run(day, to="AnomalyGate")
    run, told = backfilled.run(4)
    assert run.error is None
    assert "ExampleGen" in run.cached
    assert any("of 3 datasets; those of 0 others" in line for line in told)
    assert graph(run) == graph(runs[4][0])
    assert metrics(run) == metrics(runs[4][0])


def test_raw_examples_of_all_spans_train_the_same_model(
    runs: dict[int, tuple[PipelineRun, list[str]]], days: Days
) -> None:
    run, _ = days.run(4, "transform.materialize=false", to="Evaluator")
    assert run.error is None
    assert metrics(run) == pytest.approx(metrics(runs[4][0]), abs=1e-4)


def test_drift_over_the_threshold_stops_the_run(runs: dict[int, tuple[PipelineRun, list[str]]], days: Days) -> None:
    thresholds = "validation.drift={'*': 0.3}"
    same, told = days.run(4, thresholds, to="AnomalyGate")
    assert same.error is None
    # The day before was refused: drift is measured from the one before that.
    assert any("is measured from span 19784 (2024-03-02)" in line for line in told)
    drifted, _ = days.run(DRIFTED, thresholds, to="AnomalyGate")
    assert isinstance(drifted.error, AnomalyError)
    assert drifted.error.where == "AnomalyGate, features fare, tips"
    assert "between span 19787 (2024-03-05) and span 19786 (2024-03-04), the one before, is 1 " in str(drifted.error)
    assert "above the threshold 0.3" in str(drifted.error)


def test_skew_from_the_rows_of_serving_stops_the_run(
    runs: dict[int, tuple[PipelineRun, list[str]]], days: Days, folder: Path
) -> None:
    (folder / "serving.csv").write_text("fare,payment\n" + "1000.5,Cash\n" * 50)
    skew = f"validation={{skew: {{fare: 0.3}}, serving_path: {folder / 'serving.csv'}}}"
    run, _ = days.run(4, skew, to="AnomalyGate")
    assert isinstance(run.error, AnomalyError)
    assert run.error.where == "AnomalyGate, feature fare"
    assert "between training and serving is 1 " in str(run.error)
