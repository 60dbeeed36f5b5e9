"""The ML Metadata store of one test run: artifacts put in before a node runs, and those it gave taken out."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ml_metadata.proto import metadata_store_pb2
from tfx.orchestration.metadata import Metadata, sqlite_metadata_connection_config
from tfx.types.artifact import Artifact
from tfx.types.artifact_utils import deserialize_artifact

from pipeline_testing.outputs import Outputs

_OUTPUT = (metadata_store_pb2.Event.OUTPUT, metadata_store_pb2.Event.INTERNAL_OUTPUT)


def open_store(folder: Path) -> Metadata:
    """A store of its own in this folder."""
    return Metadata(sqlite_metadata_connection_config(str(folder / "metadata.sqlite")))


def put(metadata: Metadata, artifacts: Iterable[Artifact]) -> list[int]:
    """Makes artifacts, those of another store too, known to this one; returns their numbers here."""
    known = []
    with metadata as handle:
        for artifact in artifacts:
            kind = metadata_store_pb2.ArtifactType()
            kind.CopyFrom(artifact.artifact_type)
            kind.ClearField("id")
            message = metadata_store_pb2.Artifact()
            message.CopyFrom(artifact.mlmd_artifact)
            for field in ("id", "name", "create_time_since_epoch", "last_update_time_since_epoch"):
                message.ClearField(field)
            message.type_id = handle.store.put_artifact_type(kind, can_add_fields=True, can_omit_fields=True)
            message.state = metadata_store_pb2.Artifact.LIVE
            known += handle.store.put_artifacts([message])
    return known


def outputs_of(metadata: Metadata, node_id: str, execution_id: int) -> Outputs:
    """What an execution gave."""
    with metadata as handle:
        events = [event for event in handle.store.get_events_by_execution_ids([execution_id]) if event.type in _OUTPUT]
        found = {
            artifact.id: artifact
            for artifact in handle.store.get_artifacts_by_id([event.artifact_id for event in events])
        }
        types = {
            kind.id: kind
            for kind in handle.store.get_artifact_types_by_id(sorted({one.type_id for one in found.values()}))
        }
    artifacts: dict[str, list[Artifact]] = {}
    for event in events:
        message = found[event.artifact_id]
        key = event.path.steps[0].key
        artifacts.setdefault(key, []).append(deserialize_artifact(types[message.type_id], message))
    return Outputs(node_id, artifacts)
