"""Seconds of each node of a run, read from ML Metadata."""

from __future__ import annotations

from pathlib import Path

from ml_metadata.metadata_store import metadata_store
from ml_metadata.proto import metadata_store_pb2

from schemas.errors import RunError


def node_seconds(store: Path) -> dict[str, float]:
    """Seconds between the registration of each node's execution and the publication of its outputs, by node id.

    Nodes that were served from the cache are left out, and so is what lies between nodes: start, imports, exit. Both
    sides are launched by TFX's own launcher, so the two moments mean the same on both.

    Args:
        store: an ML Metadata store in a SQLite file.

    Raises:
        RunError: there is no such file.
    """
    return {node: sum(end - begin for begin, end in times) for node, times in node_times(store).items()}


def node_times(store: Path) -> dict[str, list[tuple[float, float]]]:
    """The two moments of each execution of `node_seconds`, in seconds since 1970."""
    if not store.is_file():
        raise RunError("The run left no ML Metadata store.", where=str(store), fix="See the log of the run.")
    config = metadata_store_pb2.ConnectionConfig()
    config.sqlite.filename_uri = str(store)
    config.sqlite.connection_mode = metadata_store_pb2.SqliteMetadataSourceConfig.READONLY
    opened = metadata_store.MetadataStore(config)
    times: dict[str, list[tuple[float, float]]] = {}
    for execution in sorted(opened.get_executions(), key=lambda found: found.id):
        if execution.last_known_state != metadata_store_pb2.Execution.COMPLETE:
            continue
        contexts = opened.get_contexts_by_execution(execution.id)
        # A node's context is called PIPELINE.NODE.
        (name,) = (context.name for context in contexts if context.type == "node")
        taken = (execution.create_time_since_epoch / 1000, execution.last_update_time_since_epoch / 1000)
        times.setdefault(name.partition(".")[2], []).append(taken)
    return times
