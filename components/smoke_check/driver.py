"""SmokeCheck's driver: a refusal is not taken from the cache."""

from __future__ import annotations

from typing import Any

from ml_metadata.proto import metadata_store_pb2
from tfx.dsl.components.base.base_driver import BaseDriver as ComponentDriver
from tfx.orchestration.portable.base_driver import BaseDriver as PortableDriver
from tfx.proto.orchestration import driver_output_pb2
from tfx.types.standard_artifacts import InfraBlessing

from schemas.artifacts import REASON_PROPERTY

_PIPELINE_CONTEXT = "pipeline"


class Driver(ComponentDriver, PortableDriver):
    """Marks the refusals of this pipeline as deleted, before the cache is asked.

    How fast a server is, how much memory it takes and whether it comes up at all depends on the machine and its hour,
    not on the inputs alone: who runs the pipeline again wants it tried again. Who passed has passed.
    """

    def __init__(self, metadata_handle: Any) -> None:
        # TFX compiles the one base class and runs the other.
        ComponentDriver.__init__(self, metadata_handle)
        PortableDriver.__init__(self, metadata_handle)

    def run(self, execution_info: Any) -> driver_output_pb2.DriverOutput:
        """Changes states in ML Metadata; inputs, outputs and parameters stay as they are."""
        with self._mlmd_connection as metadata:
            mark_refused(metadata.store, execution_info.pipeline_info.id)
        return driver_output_pb2.DriverOutput()


def mark_refused(store: Any, pipeline: str) -> int:
    """Marks the InfraBlessing artifacts of a pipeline that say why a model was refused.

    Args:
        store: an `ml_metadata.MetadataStore`.
        pipeline: the pipeline's name.

    Returns:
        How many there were.
    """
    context = store.get_context_by_type_and_name(_PIPELINE_CONTEXT, pipeline)
    if context is None:
        return 0
    types = {kind.id for kind in store.get_artifact_types() if kind.name == InfraBlessing.TYPE_NAME}
    refused = [
        artifact
        for artifact in store.get_artifacts_by_context(context.id)
        if artifact.type_id in types
        and artifact.state == metadata_store_pb2.Artifact.LIVE
        and artifact.custom_properties[REASON_PROPERTY].string_value
    ]
    for artifact in refused:
        artifact.state = metadata_store_pb2.Artifact.DELETED
    if refused:
        store.put_artifacts(refused)
    return len(refused)
