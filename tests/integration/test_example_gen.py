"""ExampleGen as a component: the same examples as stock CsvExampleGen, and its driver, cache key and artifact."""

from __future__ import annotations

import glob
import json
import os
from collections.abc import Iterator
from pathlib import Path

import apache_beam as beam
import pytest
import tensorflow as tf
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from tfx.components.example_gen.csv_example_gen import executor as stock
from tfx.components.util import examples_utils
from tfx.dsl.components.base import base_beam_executor
from tfx.proto import example_gen_pb2
from tfx.types import standard_artifacts
from tfx.types import standard_component_specs as keys

from components.example_gen.component import ExampleGen
from components.example_gen.driver import Driver
from components.example_gen.executor import Executor
from configs.settings import Data
from schemas.features import FeatureTable

TAXI = "package:tfx/examples/chicago_taxi_pipeline/data/simple/data.csv"
# Types as stock CsvExampleGen infers them on the taxi trips.
TABLE = FeatureTable.model_validate(
    {
        "features": {
            "trip_miles": {"kind": "numeric"},
            "trip_start_hour": {"kind": "integer", "size": 24},
            "payment_type": {"kind": "categorical"},
        },
        "label": {"kind": "binary", "expression": "tips > 0.2 * fare"},
    }
)


def _pipeline() -> beam.Pipeline:
    return beam.Pipeline(runner=FnApiRunner())


def _properties(component: ExampleGen) -> dict[str, object]:
    """The execution properties of a component, as an executor receives them."""
    from tfx.utils import proto_utils

    properties = dict(component.exec_properties)
    return {
        key: value if isinstance(value, (str, int, type(None))) else proto_utils.proto_to_json(value)
        for key, value in properties.items()
        if value is not None
    }


def _run(component: ExampleGen, folder: Path) -> standard_artifacts.Examples:
    properties = Driver(None).resolve_exec_properties(_properties(component), None, None)
    examples = standard_artifacts.Examples()
    examples.uri = str(folder)
    context = base_beam_executor.BaseBeamExecutor.Context(make_beam_pipeline_fn=_pipeline)
    Executor(context).Do({}, {keys.EXAMPLES_KEY: [examples]}, properties)
    return examples


def _stock(component: ExampleGen, folder: Path) -> None:
    properties = Driver(None).resolve_exec_properties(_properties(component), None, None)
    examples = standard_artifacts.Examples()
    examples.uri = str(folder)
    context = base_beam_executor.BaseBeamExecutor.Context(make_beam_pipeline_fn=_pipeline)
    stock.Executor(context).Do({}, {keys.EXAMPLES_KEY: [examples]}, properties)


def _records(folder: Path, split: str) -> Iterator[bytes]:
    for path in sorted(glob.glob(str(folder / f"Split-{split}" / "*"))):
        for record in tf.compat.v1.io.tf_record_iterator(path, tf.io.TFRecordOptions(compression_type="GZIP")):
            yield tf.train.Example.FromString(record).SerializeToString(deterministic=True)


@pytest.fixture(scope="module")
def taxi(tmp_path_factory: pytest.TempPathFactory) -> tuple[standard_artifacts.Examples, Path, Path]:
    folder = tmp_path_factory.mktemp("taxi")
    component = ExampleGen(Data(path=TAXI), TABLE)
    _stock(component, folder / "stock")
    return _run(component, folder / "ours"), folder / "ours", folder / "stock"


@pytest.mark.parametrize("split", ["train", "eval"])
def test_examples_equal_those_of_stock(taxi: tuple[standard_artifacts.Examples, Path, Path], split: str) -> None:
    _, ours, stock_folder = taxi
    assert sorted(_records(ours, split)) == sorted(_records(stock_folder, split))


def test_artifact_says_what_it_holds(taxi: tuple[standard_artifacts.Examples, Path, Path]) -> None:
    examples, ours, _ = taxi
    assert json.loads(examples.get_string_custom_property("rows")) == {"train": 10036, "eval": 4966}
    assert examples.get_int_custom_property("dropped") == 0
    assert json.loads(examples.split_names) == ["train", "eval"]
    assert examples_utils.get_payload_format(examples) == example_gen_pb2.FORMAT_TF_EXAMPLE
    assert examples_utils.get_file_format(examples) == "tfrecords_gzip"
    assert sorted(os.listdir(ours)) == ["Split-eval", "Split-train"]
    assert os.listdir(ours / "Split-train") == ["data_tfrecord-00000-of-00001.gz"]
