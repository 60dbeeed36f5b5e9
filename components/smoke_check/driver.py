"""SmokeCheck's driver: a refusal is not taken from the cache."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from ml_metadata.proto import metadata_store_pb2
from tfx.dsl.components.base.base_driver import BaseDriver as ComponentDriver
from tfx.orchestration.portable.base_driver import BaseDriver as PortableDriver
from tfx.proto.orchestration import driver_output_pb2
from tfx.types.standard_artifacts import InfraBlessing

from components.smoke_check.executor import MODEL_KEY, REFUSALS_KEY
from schemas.artifacts import REASON_PROPERTY


class Driver(ComponentDriver, PortableDriver):
    """Puts how often the model was refused into the cache key.

    How fast a server is, how much memory it takes and whether it comes up at all depends on the machine and its hour,
    not on the inputs alone: who runs the pipeline again wants it tried again. Who passed has passed: his key stays.
    The refusals stay as they are, too, as the Pusher of another run may be about to read one.
    """

    def __init__(self, metadata_handle: Any) -> None:
        # TFX compiles the one base class and runs the other.
        ComponentDriver.__init__(self, metadata_handle)
        PortableDriver.__init__(self, metadata_handle)

    def run(self, execution_info: Any) -> driver_output_pb2.DriverOutput:
        """Adds a parameter, which no executor reads; inputs and outputs stay as they are."""
        output = driver_output_pb2.DriverOutput()
        with self._mlmd_connection as metadata:
            models = [model.id for model in execution_info.input_dict[MODEL_KEY]]
            output.exec_properties[REFUSALS_KEY].int_value = refusals(metadata.store, models)
        return output


def refusals(store: Any, models: Collection[int]) -> int:
    """How many InfraBlessing artifacts say why one of these models was refused.

    Args:
        store: an `ml_metadata.MetadataStore`.
        models: ids of Model artifacts.
    """
    reads = {metadata_store_pb2.Event.INPUT, metadata_store_pb2.Event.DECLARED_INPUT}
    readers = {event.execution_id for event in store.get_events_by_artifact_ids(models) if event.type in reads}
    made = {event.artifact_id for event in store.get_events_by_execution_ids(readers) if event.type not in reads}
    types = {kind.id for kind in store.get_artifact_types() if kind.name == InfraBlessing.TYPE_NAME}
    return sum(
        artifact.type_id in types and bool(artifact.custom_properties[REASON_PROPERTY].string_value)
        for artifact in store.get_artifacts_by_id(made)
    )
