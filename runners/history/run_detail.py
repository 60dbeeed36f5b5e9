"""Everything that is known of one run, node by node."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from ml_metadata.proto import metadata_store_pb2
from tfx.orchestration.metadata import Metadata

from runners.history.graph import Graph, Link, read_graph, text
from runners.history.liveness import State, states
from runners.history.logged_error import logged_error
from runners.history.on_disk import OnDisk, on_disk
from runners.history.run_and_node import run_and_node
from runners.history.run_nodes import node_ids, run_logs
from runners.history.runs import duration, effective_state, run_executions, started, verdict
from runners.run_record import RunRecord

_Execution = metadata_store_pb2.Execution
_Artifact = metadata_store_pb2.Artifact

NodeState = Literal["complete", "cached", "failed", "interrupted", "running", "died", "not run"]
_STATES: dict[int, NodeState] = {
    _Execution.COMPLETE: "complete",
    _Execution.CACHED: "cached",
    _Execution.FAILED: "failed",
    _Execution.CANCELED: "interrupted",
}


@dataclass(frozen=True)
class ArtifactDetail:
    """An artifact that a node read or made.

    Attributes:
        key: of the node's input or output.
        id: in ML Metadata.
        type: of the artifact.
        uri: where its files are, or were.
        state: live, or what else ML Metadata says, such as deleted.
        on_disk: there, altered since it was published, or gone.
    """

    key: str
    id: int
    type: str
    uri: str
    state: str
    on_disk: OnDisk

    @classmethod
    def of(cls, key: str, artifact: Any) -> ArtifactDetail:
        """What ML Metadata and the disk say."""
        state = _Artifact.State.Name(artifact.state).lower()
        return cls(key, artifact.id, artifact.type, artifact.uri, state, on_disk(artifact))


@dataclass(frozen=True)
class NodeDetail:
    """One node of a run.

    Attributes:
        node: its id in the graph.
        state: how far it is.
        execution: id in ML Metadata, None when it was not run.
        started: milliseconds since 1970, None when it was not run.
        seconds: how long it took; of one from the cache, how long looking there took.
        inputs: what it read.
        outputs: what it made, took over from the cache or, a resolver, found.
        error: what ended it, with its lines Where, Received and Fix, or empty.
        log: its log file, or empty.
    """

    node: str
    state: NodeState
    execution: int | None
    started: int | None
    seconds: float | None
    inputs: list[ArtifactDetail]
    outputs: list[ArtifactDetail]
    error: str
    log: str


@dataclass(frozen=True)
class RunDetail:
    """One run; as JSON, this is `scalable-tf runs show ID --json`.

    Attributes:
        record: what the runner wrote of it, with the keys of `RunRecord`; its `state` may be `died` here.
        seconds: from its start to its end, or until now; None when its end is unknown.
        blessed: the Evaluator's verdict, None where it gave none.
        release: version of the released model, None where none was.
        logs: folder of its logs, or empty where it is gone.
        nodes: in the order of the graph.
    """

    record: dict[str, Any]
    seconds: float | None
    blessed: bool | None
    release: int | None
    logs: str
    nodes: list[NodeDetail]


def run_detail(connection: Metadata, records: Sequence[RunRecord], record: RunRecord) -> RunDetail:
    """Everything of one run, in a few calls and one for each of its executions.

    Args:
        connection: to the store; it is entered here, and left before the disk is looked at.
        records: all runs of the pipeline, newest first.
        record: one of them.
    """
    by_node: dict[str, Any] = {}
    with connection as metadata:
        executions = run_executions(metadata.store, record.run_id)
        graph = read_graph(metadata.store, executions)
        for execution in executions:
            by_node[run_and_node(metadata.store, execution)[1]] = execution  # the newest, were there several
    state = effective_state(states(records)[record.run_id], executions)
    logs = run_logs(record)
    order = [*(node for node in node_ids(record)), *by_node]
    blessed, release = verdict(executions, graph)
    return RunDetail(
        record={**asdict(record), "state": state, "started": started(record, executions)},
        seconds=duration(record, state, executions),
        blessed=blessed,
        release=release,
        logs=str(logs) if logs else "",
        nodes=[_node(node, by_node.get(node), graph, state, logs) for node in dict.fromkeys(order)],
    )


def _node(node: str, execution: Any, graph: Graph, run: State, logs: Path | None) -> NodeDetail:
    log = logs / f"{node}.log" if logs else None
    shown = str(log) if log and log.is_file() else ""
    if execution is None:
        return NodeDetail(node, "not run", None, None, None, [], [], "", shown)
    state = _STATES.get(execution.last_known_state, "running" if run == "running" else "died")
    error = ""
    if state == "failed":
        error = (logged_error(log) if log else None) or text(execution, "__execution_result__")
    made = (*graph.outputs.get(execution.id, ()), *graph.resolved.get(execution.id, ()))
    milliseconds = execution.last_update_time_since_epoch - execution.create_time_since_epoch
    return NodeDetail(
        node=node,
        state=state,
        execution=execution.id,
        started=execution.create_time_since_epoch,
        seconds=milliseconds / 1000 if state in ("complete", "cached", "failed") else None,
        inputs=_artifacts(graph.inputs.get(execution.id, ()), graph),
        outputs=_artifacts(made, graph),
        error=error,
        log=shown,
    )


def _artifacts(links: Sequence[Link], graph: Graph) -> list[ArtifactDetail]:
    return [ArtifactDetail.of(link.key, graph.artifacts[link.artifact]) for link in sorted(links, key=lambda x: x.key)]
