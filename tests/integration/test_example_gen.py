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
from tfx.dsl.compiler import compiler
from tfx.dsl.components.base import base_beam_executor
from tfx.orchestration import metadata, pipeline
from tfx.orchestration.portable import runtime_parameter_utils
from tfx.proto import example_gen_pb2
from tfx.types import standard_artifacts
from tfx.types import standard_component_specs as keys
from tfx.utils import proto_utils

from components.example_gen.component import ExampleGen
from components.example_gen.driver import Driver
from components.example_gen.executor import Executor
from configs.data import Data
from configs.engine import Engine
from runners.node import NodeOutcome, run_node
from schemas.errors import DataError
from schemas.features import FeatureTable, Numeric

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


def _make_pipeline() -> beam.Pipeline:
    return beam.Pipeline(runner=FnApiRunner())


def _properties(component: ExampleGen) -> dict[str, object]:
    """The execution properties of a component, as an executor receives them."""
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
    context = base_beam_executor.BaseBeamExecutor.Context(make_beam_pipeline_fn=_make_pipeline)
    Executor(context).Do({}, {keys.EXAMPLES_KEY: [examples]}, properties)
    return examples


def _stock(component: ExampleGen, folder: Path) -> None:
    properties = Driver(None).resolve_exec_properties(_properties(component), None, None)
    examples = standard_artifacts.Examples()
    examples.uri = str(folder)
    context = base_beam_executor.BaseBeamExecutor.Context(make_beam_pipeline_fn=_make_pipeline)
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
    assert sorted(os.listdir(ours)) == ["Columns-eval", "Columns-train", "Split-eval", "Split-train"]
    assert os.listdir(ours / "Split-train") == ["data_tfrecord-00000-of-00001.gz"]


SMALL = FeatureTable.model_validate(
    {"features": {"fare": {"kind": "numeric"}}, "label": {"kind": "binary", "expression": "tips > 1"}}
)


def _write(path: Path, first: int = 0) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text("fare,tips\n" + "".join(f"{fare + first},{fare % 3}\n" for fare in range(40)))


def _node(folder: Path, run: str, data: Data, table: FeatureTable = SMALL) -> NodeOutcome:
    """Runs ExampleGen as the only node of a pipeline, with the metadata store and the cache of the folder."""
    connection = metadata.sqlite_metadata_connection_config(str(folder / "metadata.sqlite"))
    graph = pipeline.Pipeline(
        "small",
        str(folder / "root"),
        components=[ExampleGen(data, table, str(folder / "prepared"))],
        enable_cache=True,
        metadata_connection_config=connection,
    )
    compiled = compiler.Compiler().compile(graph)
    runtime_parameter_utils.substitute_runtime_parameter(compiled, {"pipeline-run-id": run})
    return run_node(compiled, "ExampleGen", metadata.Metadata(connection), Engine(kind="direct"))


def test_cache_notices_content_options_and_columns_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "data" / "a.csv"
    _write(path)
    data = Data(path=str(path))
    assert _node(tmp_path, "1", data).state == "complete"
    os.utime(path, ns=(0, 0))
    assert _node(tmp_path, "2", data).state == "cached"
    _write(path, first=1)
    assert _node(tmp_path, "3", data).state == "complete"
    other_transform = SMALL.model_copy(update={"features": {"fare": Numeric(kind="numeric", log=True)}})
    assert _node(tmp_path, "4", data, other_transform).state == "cached"
    other_type = SMALL.model_copy(update={"features": {"fare": Numeric(kind="numeric", dtype="int")}})
    assert _node(tmp_path, "4b", data, other_type).state == "complete"
    assert _node(tmp_path, "5", data.model_copy(update={"missing_values": ("NA",)})).state == "complete"


def test_newest_and_chosen_span(tmp_path: Path) -> None:
    for day in (1, 2, 10):
        _write(tmp_path / "data" / f"day-{day}.csv", first=day)
    pattern = str(tmp_path / "data" / "day-{SPAN}.csv")
    (newest,) = _node(tmp_path, "1", Data(path=pattern)).outputs["examples"]
    (chosen,) = _node(tmp_path, "2", Data(path=pattern, span=2)).outputs["examples"]
    assert (newest.properties["span"], chosen.properties["span"]) == (10, 2)
    assert newest.properties["input_fingerprint"] != chosen.properties["input_fingerprint"]
    assert sum(json.loads(chosen.properties["rows"]).values()) == 40


def test_a_span_is_prepared_before_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "stf_semicolons.py").write_text(
        "def prepare(source, target):\n    (target / 'a.csv').write_text(source.read_text().replace(';', ','))\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    for day in (1, 2):
        _write(tmp_path / "data" / f"{day}.txt", first=day)
        (tmp_path / "data" / f"{day}.txt").write_text((tmp_path / "data" / f"{day}.txt").read_text().replace(",", ";"))
    data = Data(path=str(tmp_path / "data" / "{SPAN}.txt"), prepare="stf_semicolons.prepare")
    first = _node(tmp_path, "1", data)
    assert (first.state, first.outputs["examples"][0].properties["span"]) == ("complete", 2)
    assert _node(tmp_path, "2", data).state == "cached"
    assert len(list((tmp_path / "prepared").glob("[!.]*/a.csv"))) == 1


def test_missing_file_is_told_as_it_is(tmp_path: Path) -> None:
    _write(tmp_path / "data" / "trips.csv")
    with pytest.raises(DataError, match=r"(?s)no such file.*Did you mean .*trips.csv\?"):
        _node(tmp_path, "1", Data(path=str(tmp_path / "data" / "trip.csv")))


def test_bad_rows_are_told_as_they_are_and_leave_no_artifact(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("fare,tips\n1,2\n1,2,3\n")
    with pytest.raises(DataError, match="(?s)1 row has not the number of fields.*line 3: 3 instead of 2 fields"):
        _node(tmp_path, "1", Data(path=str(tmp_path / "a.csv")))
    assert list((tmp_path / "root").glob("ExampleGen/examples/*")) == []


def test_graph_does_not_depend_on_the_machine() -> None:
    component = ExampleGen(Data(path=TAXI), TABLE)
    assert component.id == "ExampleGen"
    assert component.exec_properties["input_base"] == TAXI.rpartition("/")[0]


def test_data_that_changes_while_it_is_read_is_refused(tmp_path: Path) -> None:
    _write(tmp_path / "a.csv")
    properties = Driver(None).resolve_exec_properties(
        _properties(ExampleGen(Data(path=str(tmp_path / "a.csv")), SMALL)), None, None
    )
    _write(tmp_path / "a.csv", first=1)
    examples = standard_artifacts.Examples()
    examples.uri = str(tmp_path / "out")
    context = base_beam_executor.BaseBeamExecutor.Context(make_beam_pipeline_fn=_make_pipeline)
    with pytest.raises(DataError, match="changed while it was read"):
        Executor(context).Do({}, {keys.EXAMPLES_KEY: [examples]}, properties)
