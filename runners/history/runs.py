"""The runs of a pipeline in short, for a list of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from ml_metadata.proto import metadata_store_pb2
from tfx.dsl.compiler.constants import PIPELINE_RUN_CONTEXT_TYPE_NAME
from tfx.orchestration.metadata import Metadata

from components.pusher.executor import VERSION_PROPERTY
from runners.history.graph import Graph, number, read_graph, text
from runners.history.liveness import State, states
from runners.history.run_nodes import node_ids
from runners.run_record import RunRecord

_Execution = metadata_store_pb2.Execution


@dataclass(frozen=True)
class RunSummary:
    """One run in short; as JSON, this is one element of `scalable-tf runs list --json`.

    Attributes:
        run_id: its name in ML Metadata and of its folder in logs/.
        state: running, complete, failed, interrupted; died: its process was killed; or unknown: another orchestrator's.
        started: ISO 8601, UTC.
        seconds: from its start to its end, or until now; None when its end is unknown.
        nodes_done: nodes that are complete or came from the cache.
        nodes_cached: those of them that came from the cache.
        nodes: nodes of the pipeline.
        blessed: the Evaluator's verdict, None where it gave none.
        release: version of the released model, None where none was.
        error: first line of what stopped it, or empty.
        purpose: training or inference.
    """

    run_id: str
    state: State
    started: str
    seconds: float | None
    nodes_done: int
    nodes_cached: int
    nodes: int
    blessed: bool | None
    release: int | None
    error: str
    purpose: str = "training"


def run_summaries(metadata: Metadata, records: Sequence[RunRecord], limit: int | None = None) -> list[RunSummary]:
    """The newest runs, newest first, in one call a run and two more for each 500 executions.

    Args:
        metadata: an entered connection.
        records: all runs of the pipeline, newest first.
        limit: how many; None: all.
    """
    store = metadata.store
    by_run = {record.run_id: run_executions(store, record.run_id) for record in records[:limit]}
    graph = read_graph(store, [execution for found in by_run.values() for execution in found])
    now = states(records)
    return [_summary(record, now[record.run_id], by_run[record.run_id], graph) for record in records[:limit]]


def run_executions(store: Any, run_id: str) -> list[Any]:
    """The executions of a run, in the order in which they were started; none of a run that the store does not know."""
    context = store.get_context_by_type_and_name(PIPELINE_RUN_CONTEXT_TYPE_NAME, run_id)
    if context is None:
        return []
    return sorted(store.get_executions_by_context(context.id), key=lambda execution: execution.id)


def verdict(executions: Sequence[Any], graph: Graph) -> tuple[bool | None, int | None]:
    """Whether a run's model was blessed, and the version that it was released as."""
    blessed: bool | None = None
    release: int | None = None
    for execution in executions:
        for link in graph.outputs.get(execution.id, ()):
            artifact = graph.artifacts[link.artifact]
            if artifact.type == "ModelBlessing":
                blessed = number(artifact, "blessed") == 1
            elif artifact.type == "PushedModel" and text(artifact, VERSION_PROPERTY).isdigit():
                release = int(text(artifact, VERSION_PROPERTY))
    return blessed, release


def duration(record: RunRecord, state: State, executions: Sequence[Any]) -> float | None:
    """Seconds that a run took, or has taken so far; of one that something else ran, what its executions say."""
    if record.started and state == "running":
        return round((datetime.now(timezone.utc) - datetime.fromisoformat(record.started)).total_seconds(), 1)
    if record.started and record.ended:
        return (datetime.fromisoformat(record.ended) - datetime.fromisoformat(record.started)).total_seconds()
    if not executions:
        return None
    first = min(execution.create_time_since_epoch for execution in executions)
    last = max(execution.last_update_time_since_epoch for execution in executions)
    return float(last - first) / 1000


def started(record: RunRecord, executions: Sequence[Any]) -> str:
    """When a run was started, ISO 8601, UTC; empty where nothing says so."""
    if record.started or not executions:
        return record.started
    first = min(execution.create_time_since_epoch for execution in executions) / 1000
    return datetime.fromtimestamp(first, timezone.utc).isoformat(timespec="seconds")


def effective_state(state: State, executions: Sequence[Any]) -> State:
    """The state; of a run that something else than our runner has made, what its executions say."""
    if state != "unknown":
        return state
    known = {execution.last_known_state for execution in executions}
    if _Execution.FAILED in known:
        return "failed"
    return "complete" if known and known <= {_Execution.COMPLETE, _Execution.CACHED} else "unknown"


def _summary(record: RunRecord, state: State, executions: Sequence[Any], graph: Graph) -> RunSummary:
    known = [execution.last_known_state for execution in executions]
    cached = known.count(_Execution.CACHED)
    blessed, release = verdict(executions, graph)
    return RunSummary(
        run_id=record.run_id,
        state=effective_state(state, executions),
        started=started(record, executions),
        seconds=duration(record, state, executions),
        nodes_done=known.count(_Execution.COMPLETE) + cached,
        nodes_cached=cached,
        nodes=len(node_ids(record)) or len(known),
        blessed=blessed,
        release=release,
        error=record.message,
        purpose=record.purpose,
    )
