"""BulkInferrer on small files of rows, by a model whose predictions are columns of its examples."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import apache_beam as beam
import pyarrow as pa
import pyarrow.parquet
import pytest
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from tfx.dsl.components.base import base_beam_executor
from tfx.types import standard_artifacts
from tfx.types.channel import Channel

from components.bulk_inferrer.component import BulkInferrer
from components.bulk_inferrer.executor import Executor
from components.bulk_inferrer.manifest import MANIFEST, Manifest
from components.example_gen.ingest import Ingestion, ingest
from configs.inference import Inference
from runners.inline import InlineRunner
from schemas.errors import EvaluationError, RunError
from schemas.features import FeatureTable
from schemas.raw_columns import RawColumns

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
TABLE = FeatureTable.model_validate(
    {
        "features": {"score": {"kind": "numeric"}, "other": {"kind": "numeric"}},
        "label": {"kind": "binary", "expression": "tips > 1"},
    }
)
Export = Callable[..., Path]


def direct() -> beam.Pipeline:
    return beam.Pipeline(runner=FnApiRunner())


def inline() -> beam.Pipeline:
    return beam.Pipeline(runner=InlineRunner())


def examples_of(folder: Path, rows: int = 4, bad: str = "", **options: Any) -> Any:
    """Examples with score 0, 0.5, 1, ... and other 1 - score, and a trip for each."""
    folder.mkdir()
    lines = [f"t{number:03d},{0.5 * number},{1 - 0.5 * number}" for number in range(rows)]
    (folder / "new.csv").write_text("\n".join(["trip,score,other", *lines]) + "\n" + bad)
    ingestion = Ingestion(RawColumns.to_predict(TABLE, ("trip",)), {"all": 1}, **options)
    done = ingest([str(folder / "new.csv")], str(folder / "examples"), ingestion, direct)
    examples = standard_artifacts.Examples()
    examples.uri = str(folder / "examples")
    examples.split_names = json.dumps(["all"])
    examples.span = 7
    examples.set_string_custom_property("rows", json.dumps(done.rows))
    examples.set_int_custom_property("rejected", done.rejected)
    examples.set_string_custom_property("input_fingerprint", "files:1")
    return examples


def predict(
    folder: Path,
    examples: Any,
    model: Path | None,
    make_pipeline: Callable[[], beam.Pipeline] = inline,
    named: tuple[str, ...] = ("probability",),
    classes: tuple[str, ...] = (),
    **inference: Any,
) -> Path:
    component = BulkInferrer(
        examples=Channel(type=standard_artifacts.Examples),
        model=Channel(type=standard_artifacts.Model),
        inference=Inference(**inference),
        columns=TABLE.inputs,
        id_columns={"trip": "string"},
        named=named,
        classes=classes,
        releases_dir=str(folder / "releases"),
        model_name="small",
    )
    given = []
    if model is not None:
        given.append(standard_artifacts.Model())
        given[0].uri = str(model)
    result = standard_artifacts.InferenceResult()
    result.uri = str(folder / "result")
    (folder / "result").mkdir(parents=True)
    context = base_beam_executor.BaseBeamExecutor.Context(make_beam_pipeline_fn=make_pipeline)
    inputs = {"examples": [examples], "model": given}
    Executor(context).Do(inputs, {"inference_result": [result]}, dict(component.exec_properties))
    assert result.get_int_custom_property("rows") == Manifest.load(folder / "result").rows["predicted"]
    return folder / "result"


def rows_of(folder: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = pa.parquet.read_table(folder).to_pylist()
    return found


def test_a_row_for_each_row(tmp_path: Path, export: Export) -> None:
    found = predict(tmp_path, examples_of(tmp_path / "new"), export(tmp_path / "model", scale=0.5))
    assert rows_of(found) == [
        {"row_id": "new.csv:2", "trip": "t000", "probability": 0.0},
        {"row_id": "new.csv:3", "trip": "t001", "probability": 0.25},
        {"row_id": "new.csv:4", "trip": "t002", "probability": 0.5},
        {"row_id": "new.csv:5", "trip": "t003", "probability": 0.75},
    ]
    assert sorted(path.name for path in found.iterdir()) == [MANIFEST, "predictions-00000-of-00001.parquet"]


def test_the_manifest_says_where_they_come_from(tmp_path: Path, export: Export) -> None:
    found = Manifest.load(predict(tmp_path, examples_of(tmp_path / "new"), export(tmp_path / "model")))
    assert found.rows == {"read": 4, "rejected": 0, "predicted": 4}
    assert found.columns == {"row_id": "string", "trip": "string", "probability": "float"}
    assert (found.data["span"], found.data["fingerprint"]) == (7, "files:1")
    assert (found.model["uri"], found.model["release"]) == (str(tmp_path / "model"), None)
    assert [one["rows"] for one in found.files.values()] == [4]


def test_rejected_rows_are_accounted_for(tmp_path: Path, export: Export) -> None:
    examples = examples_of(tmp_path / "new", bad="t,high,0\n", max_rejected_fraction=0.5)
    found = predict(tmp_path, examples, export(tmp_path / "model"))
    assert Manifest.load(found).rows == {"read": 5, "rejected": 1, "predicted": 4}
    assert [row["row_id"] for row in rows_of(found)] == [f"new.csv:{line}" for line in (2, 3, 4, 5)]


def test_classes(tmp_path: Path, export: Export) -> None:
    model = export(tmp_path / "model", columns=("score", "other"))
    names, classes = ("class", "probabilities"), ("big", "small")
    found = predict(tmp_path, examples_of(tmp_path / "new"), model, named=names, classes=classes)
    assert [row["class"] for row in rows_of(found)] == ["small", "big", "big", "big"]  # of equal ones, the first
    assert [row["probabilities"] for row in rows_of(found)] == [[0, 1], [0.5, 0.5], [1, 0], [1.5, -0.5]]
    assert Manifest.load(found).classes == ["big", "small"]


def test_another_number_of_classes_is_refused(tmp_path: Path, export: Export) -> None:
    model = export(tmp_path / "model", columns=("score", "other"))
    with pytest.raises(EvaluationError, match=r"(?s)does not predict the classes.*\[4, 2\] for 3 classes"):
        predict(
            tmp_path, examples_of(tmp_path / "new"), model, named=("class", "probabilities"), classes=("a", "b", "c")
        )


def test_outputs_that_are_named_are_written_as_they_are(tmp_path: Path, export: Export) -> None:
    model = export(tmp_path / "model", columns=("score", "other"))
    found = predict(tmp_path, examples_of(tmp_path / "new"), model, outputs=("predictions",))
    assert rows_of(found)[3] == {"row_id": "new.csv:5", "trip": "t003", "predictions": [1.5, -0.5]}


@pytest.mark.parametrize("form", ["parquet", "csv"])
def test_engines_agree_to_the_last_byte(tmp_path: Path, export: Export, form: str) -> None:
    examples = examples_of(tmp_path / "new", rows=200, block_bytes=500)
    model = export(tmp_path / "model", scale=1 / 3)
    folders = [
        predict(tmp_path / name, examples, model, make, format=form)
        for name, make in (("inline", inline), ("direct", direct))
    ]
    found = [{path.name: path.read_bytes() for path in folder.iterdir()} for folder in folders]
    assert len(found[0]) > 3
    assert found[0] == found[1]


def test_shards_are_in_the_order_of_the_rows(tmp_path: Path, export: Export) -> None:
    examples = examples_of(tmp_path / "new", rows=200, block_bytes=500)
    found = predict(tmp_path, examples, export(tmp_path / "model"))
    ids = [row["row_id"] for file in sorted(found.glob("*.parquet")) for row in rows_of(file)]
    assert ids == [f"new.csv:{line}" for line in range(2, 202)]


def test_without_a_model_the_command_that_makes_one_is_named(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="(?s)no blessed model yet.*scalable-tf run -c FILE"):
        predict(tmp_path, examples_of(tmp_path / "new"), None)


def test_lost_rows_are_an_error(tmp_path: Path, export: Export) -> None:
    examples = examples_of(tmp_path / "new")
    examples.set_string_custom_property("rows", json.dumps({"all": 5}))
    with pytest.raises(RunError, match="(?s)Rows were lost.*5 read, 0 rejected, 4 predicted"):
        predict(tmp_path, examples, export(tmp_path / "model"))


def test_an_unknown_signature_is_refused(tmp_path: Path, export: Export) -> None:
    with pytest.raises(EvaluationError, match="(?s)lacks the signature 'predict'.*serving_default.*inference"):
        predict(tmp_path, examples_of(tmp_path / "new"), export(tmp_path / "model"), signature="predict")


def test_a_folder_that_is_a_saved_model_will_do(tmp_path: Path, export: Export) -> None:
    model = export(tmp_path / "model") / "Format-Serving"
    assert len(rows_of(predict(tmp_path, examples_of(tmp_path / "new"), model))) == 4
