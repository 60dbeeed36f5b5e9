"""TFX's cache, but an artifact whose files are missing or altered is noticed and made anew."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from typing import Any

from ml_metadata.proto import metadata_store_pb2
from tfx.orchestration.portable import cache_utils

from schemas.artifact_contents import is_altered

_LOG = logging.getLogger(__name__)


@contextlib.contextmanager
def checked_cache() -> Iterator[None]:
    """Within it, what TFX's launcher takes from the cache has been looked at.

    An altered artifact is marked as deleted in ML Metadata, so that nothing uses it any more, and the next older
    execution with the same key is tried. The launcher offers no place for this, so its look-up is replaced meanwhile.
    """
    look_up = cache_utils.get_cached_outputs

    def checked(metadata_handle: Any, cache_context: Any) -> Any:
        while True:
            found = look_up(metadata_handle=metadata_handle, cache_context=cache_context)
            artifacts = [artifact.mlmd_artifact for given in (found or {}).values() for artifact in given]
            altered = [artifact for artifact in artifacts if is_altered(artifact)]
            if not altered:
                return found
            _LOG.warning("Not taken from the cache, as it was altered: %s", [artifact.uri for artifact in altered])
            for artifact in altered:
                artifact.state = metadata_store_pb2.Artifact.DELETED
            metadata_handle.store.put_artifacts(altered)

    cache_utils.get_cached_outputs = checked
    try:
        yield
    finally:
        cache_utils.get_cached_outputs = look_up
