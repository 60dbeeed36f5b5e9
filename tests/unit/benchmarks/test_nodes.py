from __future__ import annotations

from pathlib import Path

import pytest
from ml_metadata.metadata_store import metadata_store
from ml_metadata.proto import metadata_store_pb2

from benchmarks.nodes import node_seconds
from schemas.errors import RunError


def _store(path: Path) -> metadata_store.MetadataStore:
    config = metadata_store_pb2.ConnectionConfig()
    config.sqlite.filename_uri = str(path)
    return metadata_store.MetadataStore(config)


def _execution(store: metadata_store.MetadataStore, node: str, state: int) -> float:
    """Writes an execution as TFX's launcher does: registered first, its state published later. Gives its seconds."""
    execution_type = store.put_execution_type(metadata_store_pb2.ExecutionType(name=f"type of {node}"))
    node_type = store.put_context_type(metadata_store_pb2.ContextType(name="node"))
    run_type = store.put_context_type(metadata_store_pb2.ContextType(name="pipeline_run"))
    contexts = [
        metadata_store_pb2.Context(type_id=node_type, name=f"taxi.{node}"),
        metadata_store_pb2.Context(type_id=run_type, name=f"run of {node}"),
    ]
    execution = metadata_store_pb2.Execution(
        type_id=execution_type, last_known_state=metadata_store_pb2.Execution.RUNNING
    )
    execution.id, _, _ = store.put_execution(execution, [], contexts)
    execution.last_known_state = state
    store.put_executions([execution])
    (written,) = store.get_executions_by_id([execution.id])
    return (written.last_update_time_since_epoch - written.create_time_since_epoch) / 1000


def test_seconds_by_node_without_the_cached(tmp_path: Path) -> None:
    store = _store(tmp_path / "metadata.sqlite")
    trainer = _execution(store, "Trainer", metadata_store_pb2.Execution.COMPLETE)
    _execution(store, "Transform", metadata_store_pb2.Execution.CACHED)
    _execution(store, "Evaluator", metadata_store_pb2.Execution.FAILED)

    assert node_seconds(tmp_path / "metadata.sqlite") == {"Trainer": pytest.approx(trainer, abs=1e-5)}


def test_no_store(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="no ML Metadata store"):
        node_seconds(tmp_path / "metadata.sqlite")
