"""Stubs in a small pipeline of function components: what is copied, and what need not run."""

# No `from __future__ import annotations`: TFX reads the annotations of function components as objects.

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from tfx.dsl.compiler.compiler import Compiler
from tfx.dsl.compiler.constants import PIPELINE_RUN_ID_PARAMETER_NAME
from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact
from tfx.dsl.component.experimental.decorators import component
from tfx.orchestration.pipeline import Pipeline
from tfx.orchestration.portable.runtime_parameter_utils import substitute_runtime_parameter
from tfx.types.standard_artifacts import Examples, ModelBlessing

from configs.engine import Engine
from pipeline_testing import read
from pipeline_testing.outputs import Outputs
from pipeline_testing.store import open_store, outputs_of
from pipeline_testing.stub import Stub, needed_nodes, stub_node
from runners.node import run_node
from schemas.errors import RunError

pytestmark = pytest.mark.filterwarnings("ignore")  # raised by TFX inside


@component
def Ingest(examples: OutputArtifact[Examples]) -> None:
    """Must not run where it is stubbed or not needed."""
    raise RuntimeError("ran")


@component
def Judge(examples: InputArtifact[Examples], blessing: OutputArtifact[ModelBlessing]) -> None:
    """Blesses with a property."""
    blessing.set_int_custom_property("blessed", len(read.examples(examples, "eval")))
    Path(blessing.uri, "BLESSED").touch()


@component
def Push(blessing: InputArtifact[ModelBlessing], examples: OutputArtifact[Examples]) -> None:
    """Passes on what it was told."""
    Path(examples.uri, str(blessing.get_int_custom_property("blessed"))).mkdir()


def compiled(folder: Path) -> Any:
    ingest = Ingest()
    judge = Judge(examples=ingest.outputs["examples"])
    push = Push(blessing=judge.outputs["blessing"])
    pipeline = Pipeline("p", str(folder / "artifacts"), components=[ingest, judge, push])
    made = Compiler().compile(pipeline)
    substitute_runtime_parameter(made, {PIPELINE_RUN_ID_PARAMETER_NAME: "run"})
    return made


def run(folder: Path, stubs: Mapping[str, Stub], to: str = "Push") -> dict[str, Outputs]:
    folder.mkdir(exist_ok=True)
    pipeline = compiled(folder)
    for node_id, stub in stubs.items():
        stub_node(pipeline, node_id, stub, folder / "stubs")
    metadata = open_store(folder)
    found = {}
    for node_id in needed_nodes(pipeline, [to]):
        outcome = run_node(pipeline, node_id, metadata, Engine(kind="inline"))
        found[node_id] = outputs_of(metadata, node_id, outcome.execution_id)
    return found


ROWS = {"train": [{"fare": 1.0}], "eval": [{"fare": 2.0}, {"fare": 3.0}]}


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Outputs]:
    return run(tmp_path_factory.mktemp("first"), {"Ingest": {"examples": ROWS}})


def test_given_values_take_the_place_of_the_executor(first: dict[str, Outputs]) -> None:
    assert read.examples(first["Ingest"]["examples"], "eval") == ROWS["eval"]
    assert [path.name for path in Path(first["Push"]["examples"].uri).iterdir()] == ["2"]


def test_what_a_stub_would_have_read_is_not_needed(first: dict[str, Outputs], tmp_path: Path) -> None:
    second = run(tmp_path / "second", {"Judge": first["Judge"]})
    assert list(second) == ["Judge", "Push"]
    # The blessing's property has come along, and its file.
    assert [path.name for path in Path(second["Push"]["examples"].uri).iterdir()] == ["2"]
    assert Path(second["Judge"]["blessing"].uri, "BLESSED").is_file()


def test_a_recorded_run_is_given_again(first: dict[str, Outputs], tmp_path: Path) -> None:
    first["Ingest"].record(tmp_path / "recorded")
    assert run(tmp_path / "second", {"Ingest": tmp_path / "recorded"}).keys() == first.keys()


def test_what_the_recorder_of_tfx_has_written_is_given_too(first: dict[str, Outputs], tmp_path: Path) -> None:
    first["Ingest"].record(tmp_path / "recorded")
    (tmp_path / "recorded/Ingest/artifacts.json").unlink()
    found = run(tmp_path / "second", {"Ingest": tmp_path / "recorded"}, to="Ingest")
    assert found["Ingest"]["examples"].split_names == '["eval", "train"]'


@pytest.mark.parametrize(
    ("stubs", "message"),
    [
        ({"Inges": {}}, r"(?s)No such node.*Received: Inges.*Nodes: Ingest, Judge, Push"),
        ({"Ingest": {"rows": []}}, r"(?s)no such output.*Received: rows.*Outputs: examples"),
        ({"Ingest": Path("nowhere")}, r"(?s)Nothing was recorded.*nowhere/Ingest"),
    ],
)
def test_a_wrong_stub_is_refused(tmp_path: Path, stubs: Mapping[str, Stub], message: str) -> None:
    with pytest.raises(RunError, match=message):
        run(tmp_path / "run", stubs)


def test_an_unknown_node_to_run_to_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"(?s)No such node.*Received: Pusher.*Nodes: Ingest, Judge, Push"):
        needed_nodes(compiled(tmp_path), ["Pusher"])
