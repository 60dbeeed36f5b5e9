"""Pusher's driver: tells ML Metadata which earlier releases no longer exist, before the cache is asked."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from ml_metadata.proto import metadata_store_pb2
from tfx.dsl.components.base.base_driver import BaseDriver as ComponentDriver
from tfx.orchestration.portable.base_driver import BaseDriver as PortableDriver
from tfx.proto.orchestration import driver_output_pb2
from tfx.types.standard_artifacts import PushedModel

from components.pusher.executor import DESTINATION_PROPERTY, RELEASE_KEY_PROPERTY, RELEASES_DIR_KEY
from schemas.errors import ReleaseError
from serving.release import Release

_PIPELINE_CONTEXT = "pipeline"


class Driver(ComponentDriver, PortableDriver):
    """Marks PushedModel artifacts of this pipeline as deleted when their release is gone.

    TFX's cache checks that an output's own folder exists, and not that the release does: without this, an unchanged run
    would report a release that was removed. What is marked, the cache no longer gives out, and the model is released.
    """

    def __init__(self, metadata_handle: Any) -> None:
        # TFX compiles the one base class and runs the other.
        ComponentDriver.__init__(self, metadata_handle)
        PortableDriver.__init__(self, metadata_handle)

    def run(self, execution_info: Any) -> driver_output_pb2.DriverOutput:
        """Changes states in ML Metadata; inputs, outputs and parameters stay as they are."""
        releases_dir = Path(execution_info.exec_properties[RELEASES_DIR_KEY])
        with self._mlmd_connection as metadata:
            mark_removed(metadata.store, execution_info.pipeline_info.id, releases_dir)
        return driver_output_pb2.DriverOutput()


def mark_removed(store: Any, pipeline: str, releases_dir: Path) -> tuple[str, ...]:
    """Marks the PushedModel artifacts of a pipeline whose release is not on the disk, or is another one by now.

    Args:
        store: an `ml_metadata.MetadataStore`.
        pipeline: the pipeline's name.
        releases_dir: folder of all released models, as the node has it; what was released to another one, on another
            host perhaps, is not judged. The folder is part of the cache key, so the cache does not ask for it either.

    Returns:
        Where the missing releases were.
    """
    context = store.get_context_by_type_and_name(_PIPELINE_CONTEXT, pipeline)
    if context is None:
        return ()
    types = {kind.id for kind in store.get_artifact_types() if kind.name == PushedModel.TYPE_NAME}
    gone = [
        artifact
        for artifact in store.get_artifacts_by_context(context.id)
        if artifact.type_id in types and _is_gone(artifact, releases_dir)
    ]
    for artifact in gone:
        artifact.state = metadata_store_pb2.Artifact.DELETED
    found = tuple(artifact.custom_properties[DESTINATION_PROPERTY].string_value for artifact in gone)
    if gone:
        store.put_artifacts(gone)
        logging.info("Releases that no longer exist: %s", found)
    return found


def _is_gone(artifact: Any, releases_dir: Path) -> bool:
    # Of a model that was not released, this is the current folder.
    destination = Path(artifact.custom_properties[DESTINATION_PROPERTY].string_value)
    if artifact.state != metadata_store_pb2.Artifact.LIVE or not destination.is_relative_to(releases_dir):
        return False
    try:
        return Release.load(destination).key != artifact.custom_properties[RELEASE_KEY_PROPERTY].string_value
    except ReleaseError:
        return True
