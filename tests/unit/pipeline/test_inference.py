"""The chain that predicts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tfx.dsl.compiler.compiler import Compiler
from tfx.proto.orchestration import pipeline_pb2

from configs.load import load_settings
from configs.settings import Settings
from pipeline.inference import create_inference_pipeline
from pipeline.pipeline import create_pipeline
from schemas.errors import ReleaseError, SettingsError

ROOT = Path(__file__).parents[3]
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def settings(*overrides: str, name: str = "minimal", output: Any = "/output") -> Settings:
    return load_settings([ROOT / f"configs/{name}.yaml"], [f"output_dir={output}", *overrides], {})


def nodes(given: Settings) -> dict[str, pipeline_pb2.PipelineNode]:
    compiled = Compiler().compile(create_inference_pipeline(given))
    return {node.pipeline_node.node_info.id: node.pipeline_node for node in compiled.nodes}


def saved_model(folder: Path) -> Path:
    folder.mkdir(parents=True)
    (folder / "saved_model.pb").write_bytes(b"")
    return folder


@pytest.mark.parametrize("file", sorted((ROOT / "configs").glob("*.yaml")), ids=lambda file: file.stem)
def test_every_shipped_settings_file_can_predict(file: Path) -> None:
    found = nodes(settings(name=file.stem))
    assert found.keys() == {"InferExampleGen", "BlessedModel", "BulkInferrer"}


def test_candidates_are_retrieved_for_rows_that_have_the_columns_of_the_query() -> None:
    pairs = str(nodes(settings(name="recommender"))["InferExampleGen"])
    queries = str(nodes(settings("inference.signature=retrieve", name="recommender"))["InferExampleGen"])
    assert ("recent_items" in pairs, "item_attributes" in pairs) == (True, True)
    assert ("recent_items" in queries, "item_attributes" in queries) == (True, False)


def test_no_node_is_one_of_the_training() -> None:
    trained = Compiler().compile(create_pipeline(settings()))
    assert not nodes(settings()).keys() & {node.pipeline_node.node_info.id for node in trained.nodes}
    assert trained.pipeline_info.id == create_inference_pipeline(settings()).id


def test_a_folder_of_a_model_is_imported(tmp_path: Path) -> None:
    folder = saved_model(tmp_path / "model")
    found = nodes(settings(f"inference.model={folder}"))
    assert found.keys() == {"InferExampleGen", "GivenModel", "BulkInferrer"}


def test_of_a_model_artifact_its_saved_model_is_imported(tmp_path: Path) -> None:
    saved_model(tmp_path / "model/Format-Serving")
    text = str(nodes(settings(f"inference.model={tmp_path}/model"))["GivenModel"])
    assert f"{tmp_path}/model/Format-Serving" in text


@pytest.mark.parametrize("name", ["2", "latest", '"2"'])
def test_a_release_is_named_by_its_version(tmp_path: Path, name: str) -> None:
    for version in (1, 2):
        saved_model(tmp_path / f"releases/minimal/{version}")
    text = str(nodes(settings(f"inference.model={name}", output=tmp_path))["GivenModel"])
    assert f"{tmp_path}/releases/minimal/2" in text


def test_a_release_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match="(?s)no such release.*Versions there: none"):
        create_inference_pipeline(settings("inference.model=3", output=tmp_path))


def test_a_folder_without_a_model(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=f"(?s)no SavedModel.*inference.model.*{tmp_path}"):
        create_inference_pipeline(settings(f"inference.model={tmp_path}"))


def test_engines_of_both_pipelines_may_be_named_in_one_settings_file() -> None:
    given = settings("engine.nodes={Transform: direct, BulkInferrer: direct}")
    create_pipeline(given)
    create_inference_pipeline(given)


def test_an_engine_for_a_node_that_is_not_there() -> None:
    with pytest.raises(SettingsError, match="(?s)BulkInferer.*Is it BulkInferrer[?]"):
        create_inference_pipeline(settings("engine.nodes={BulkInferer: direct}"))
