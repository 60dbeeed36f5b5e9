"""Which nodes of a run have ended well already, read from ML Metadata."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ml_metadata.proto import metadata_store_pb2
from tfx.dsl.compiler import compiler_utils
from tfx.dsl.compiler.constants import NODE_CONTEXT_TYPE_NAME, PIPELINE_RUN_CONTEXT_TYPE_NAME
from tfx.orchestration.metadata import Metadata
from tfx.orchestration.portable.mlmd import execution_lib

from runners.node import NodeOutcome, outcome
from schemas.artifact_contents import is_altered
from schemas.errors import RunError


def finished_nodes(metadata: Metadata, pipeline: str, run_id: str, nodes: Iterable[str]) -> dict[str, NodeOutcome]:
    """What the nodes that ended well in a run gave.

    Args:
        metadata: an entered connection.
        pipeline: the pipeline's name.
        run_id: the run.
        nodes: which nodes to look for.

    Raises:
        RunError: what one of them made is no longer there, or was altered.
    """
    found = {}
    for node in nodes:
        executions = [one for one in _executions(metadata, pipeline, run_id, node) if _is_successful(one)]
        if executions:
            newest = max(executions, key=lambda execution: execution.id)
            _check(metadata, node, run_id, newest.id)
            found[node] = outcome(metadata, node, newest.id)
    return found


def close_executions(metadata: Metadata, run_id: str, state: metadata_store_pb2.Execution.State.ValueType) -> None:
    """Gives executions of a run that are still marked as running, though their process has ended, another state.

    Args:
        metadata: an entered connection.
        run_id: a run of which nothing runs any more.
        state: FAILED or CANCELED.
    """
    store = metadata.store
    run = store.get_context_by_type_and_name(PIPELINE_RUN_CONTEXT_TYPE_NAME, run_id)
    executions = [] if run is None else store.get_executions_by_context(run.id)
    open_ones = [execution for execution in executions if execution_lib.is_execution_active(execution)]
    for execution in open_ones:
        execution.last_known_state = state
    if open_ones:
        store.put_executions(open_ones)


def _executions(metadata: Metadata, pipeline: str, run_id: str, node: str) -> list[Any]:
    names = {
        PIPELINE_RUN_CONTEXT_TYPE_NAME: run_id,
        NODE_CONTEXT_TYPE_NAME: compiler_utils.node_context_name(pipeline, node),
    }
    contexts = [metadata.store.get_context_by_type_and_name(kind, name) for kind, name in names.items()]
    if None in contexts:
        return []
    return list(execution_lib.get_executions_associated_with_all_contexts(metadata, contexts))


def _is_successful(execution: Any) -> bool:
    return bool(execution_lib.is_execution_successful(execution))


def _check(metadata: Metadata, node: str, run_id: str, execution_id: int) -> None:
    events = metadata.store.get_events_by_execution_ids([execution_id])
    ids = [event.artifact_id for event in events if event.type == metadata_store_pb2.Event.OUTPUT]
    for artifact in metadata.store.get_artifacts_by_id(ids):
        if artifact.state != metadata_store_pb2.Artifact.LIVE or is_altered(artifact):
            raise RunError(
                "What a finished node of this run made is no longer as it was.",
                where=f"node {node} of run {run_id}",
                received=artifact.uri,
                fix="Start a new run, without --resume: what is sound comes from the cache, the rest is made anew.",
            )
