"""Which releases the driver declares gone, on a store in memory."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import ml_metadata
import pytest
from ml_metadata.proto import metadata_store_pb2

from components.pusher.driver import mark_removed
from serving.blessing import Blessing
from serving.release import Provenance
from serving.releases import ReleaseStore

Record = Callable[..., int]


@pytest.fixture
def store() -> Any:
    config = metadata_store_pb2.ConnectionConfig()
    config.fake_database.SetInParent()
    return ml_metadata.MetadataStore(config)


@pytest.fixture
def record(store: Any) -> Record:
    """Records a PushedModel of a pipeline and returns its id."""

    def put(pipeline: str, destination: str, key: str = "") -> int:
        artifact_type = store.put_artifact_type(metadata_store_pb2.ArtifactType(name="PushedModel"))
        context_type = store.put_context_type(metadata_store_pb2.ContextType(name="pipeline"))
        context = store.get_context_by_type_and_name("pipeline", pipeline)
        context_id = (
            context.id
            if context
            else store.put_contexts([metadata_store_pb2.Context(type_id=context_type, name=pipeline)])[0]
        )
        artifact = metadata_store_pb2.Artifact(
            type_id=artifact_type, uri="artifacts/pushed", state=metadata_store_pb2.Artifact.LIVE
        )
        artifact.custom_properties["pushed_destination"].string_value = destination
        artifact.custom_properties["release_key"].string_value = key
        (artifact_id,) = store.put_artifacts([artifact])
        store.put_attributions_and_associations(
            [metadata_store_pb2.Attribution(artifact_id=artifact_id, context_id=context_id)], []
        )
        return int(artifact_id)

    return put


def state(store: Any, artifact_id: int) -> str:
    (artifact,) = store.get_artifacts_by_id([artifact_id])
    return metadata_store_pb2.Artifact.State.Name(artifact.state)


def test_a_release_that_is_there_stays_live(store: Any, record: Record, tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model/saved_model.pb").write_bytes(b"graph")
    provenance = Provenance(pipeline="taxi", run_id="run", blessing=Blessing(blessed=True))
    release = ReleaseStore(tmp_path, "taxi").publish(tmp_path / "model", provenance)
    live = record("taxi", str(tmp_path / "taxi/1"), release.key)
    assert mark_removed(store, "taxi", tmp_path) == ()
    assert state(store, live) == "LIVE"


def test_a_release_that_is_gone_is_marked(store: Any, record: Record, tmp_path: Path) -> None:
    gone = record("taxi", str(tmp_path / "taxi/1"))
    assert mark_removed(store, "taxi", tmp_path) == (str(tmp_path / "taxi/1"),)
    assert state(store, gone) == "DELETED"


def test_it_is_marked_once(store: Any, record: Record, tmp_path: Path) -> None:
    record("taxi", str(tmp_path / "taxi/1"))
    mark_removed(store, "taxi", tmp_path)
    assert mark_removed(store, "taxi", tmp_path) == ()


def test_what_was_never_pushed_stays_live(store: Any, record: Record, tmp_path: Path) -> None:
    refused = record("taxi", "")
    mark_removed(store, "taxi", tmp_path)
    assert state(store, refused) == "LIVE"


def test_other_pipelines_are_left_alone(store: Any, record: Record, tmp_path: Path) -> None:
    record("taxi", "")
    other = record("other", str(tmp_path / "other/1"))
    mark_removed(store, "taxi", tmp_path)
    assert state(store, other) == "LIVE"


def test_what_was_released_to_another_folder_may_be_on_another_host(store: Any, record: Record, tmp_path: Path) -> None:
    elsewhere = record("taxi", str(tmp_path / "other host/releases/taxi/1"))
    assert mark_removed(store, "taxi", tmp_path / "releases") == ()
    assert state(store, elsewhere) == "LIVE"


def test_a_pipeline_without_a_run_has_nothing_to_mark(store: Any, tmp_path: Path) -> None:
    assert mark_removed(store, "taxi", tmp_path) == ()
