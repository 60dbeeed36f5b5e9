"""Which refusals are in the cache key, on a store in memory."""

from __future__ import annotations

from typing import Any

import ml_metadata
import pytest
from ml_metadata.proto import metadata_store_pb2

from components.smoke_check.driver import refusals

READ, MADE = metadata_store_pb2.Event.INPUT, metadata_store_pb2.Event.OUTPUT


@pytest.fixture
def store() -> Any:
    config = metadata_store_pb2.ConnectionConfig()
    config.fake_database.SetInParent()
    return ml_metadata.MetadataStore(config)


def artifact(store: Any, type_name: str, reason: str = "") -> int:
    """Records an artifact."""
    made = metadata_store_pb2.Artifact(
        type_id=store.put_artifact_type(metadata_store_pb2.ArtifactType(name=type_name)),
        state=metadata_store_pb2.Artifact.LIVE,
    )
    made.custom_properties["reason"].string_value = reason
    (number,) = store.put_artifacts([made])
    return int(number)


def execution(store: Any, *events: tuple[int, int]) -> None:
    """Records an execution with its artifacts: id and READ or MADE."""
    kind = store.put_execution_type(metadata_store_pb2.ExecutionType(name="Node"))
    (number,) = store.put_executions([metadata_store_pb2.Execution(type_id=kind)])
    store.put_events(
        [metadata_store_pb2.Event(artifact_id=one, execution_id=number, type=event) for one, event in events]
    )


def test_refusals_of_this_model_count_once_and_nothing_else_does(store: Any) -> None:
    mine, other = artifact(store, "Model"), artifact(store, "Model")
    execution(store, (mine, MADE))
    refused = artifact(store, "InfraBlessing", "gRPC is slow")
    execution(store, (mine, READ), (refused, MADE))
    execution(store, (mine, READ), (refused, MADE))  # as from the cache
    execution(store, (mine, READ), (refused, READ), (artifact(store, "PushedModel", "smoke check failed"), MADE))
    execution(store, (mine, READ), (artifact(store, "InfraBlessing"), MADE))  # it passed, or was not checked
    execution(store, (other, READ), (artifact(store, "InfraBlessing", "gRPC is slow"), MADE))
    assert refusals(store, [mine]) == 1
    execution(store, (mine, READ), (artifact(store, "InfraBlessing", "gRPC is slow"), MADE))
    assert refusals(store, [mine]) == 2
    assert {one.state for one in store.get_artifacts()} == {metadata_store_pb2.Artifact.LIVE}


def test_a_model_that_nothing_has_read(store: Any) -> None:
    assert refusals(store, [artifact(store, "Model")]) == 0
