"""Which refusals the cache does not give out, on a store in memory."""

from __future__ import annotations

from typing import Any

import ml_metadata
import pytest
from ml_metadata.proto import metadata_store_pb2

from components.smoke_check.driver import mark_refused


@pytest.fixture
def store() -> Any:
    config = metadata_store_pb2.ConnectionConfig()
    config.fake_database.SetInParent()
    return ml_metadata.MetadataStore(config)


def put(store: Any, pipeline: str, reason: str, type_name: str = "InfraBlessing") -> int:
    """Records an artifact of a pipeline."""
    artifact_type = store.put_artifact_type(metadata_store_pb2.ArtifactType(name=type_name))
    context_type = store.put_context_type(metadata_store_pb2.ContextType(name="pipeline"))
    known = store.get_context_by_type_and_name("pipeline", pipeline)
    made = metadata_store_pb2.Context(type_id=context_type, name=pipeline)
    context = known.id if known else store.put_contexts([made])[0]
    artifact = metadata_store_pb2.Artifact(type_id=artifact_type, state=metadata_store_pb2.Artifact.LIVE)
    artifact.custom_properties["reason"].string_value = reason
    (number,) = store.put_artifacts([artifact])
    store.put_attributions_and_associations(
        [metadata_store_pb2.Attribution(artifact_id=number, context_id=context)], []
    )
    return int(number)


def test_refusals_of_this_pipeline_are_marked_and_nothing_else(store: Any) -> None:
    refused = put(store, "taxi", "gRPC is slow")
    kept = [
        put(store, "taxi", ""),  # it passed, or was not checked
        put(store, "taxi", "not blessed", "PushedModel"),
        put(store, "other", "gRPC is slow"),
    ]
    assert mark_refused(store, "taxi") == 1
    deleted = metadata_store_pb2.Artifact.DELETED
    states = {one.id: one.state for one in store.get_artifacts()}
    assert [number for number in (refused, *kept) if states[number] == deleted] == [refused]
    assert mark_refused(store, "taxi") == 0


def test_a_store_that_does_not_know_the_pipeline(store: Any) -> None:
    assert mark_refused(store, "taxi") == 0
