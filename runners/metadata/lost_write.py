"""Writes whose answer was lost: the request that stores what is missing and updates what is there."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from google.protobuf.message import Message
from ml_metadata.proto import metadata_store_pb2
from ml_metadata.proto import metadata_store_service_pb2 as service

from schemas.errors import RunError

Call = Callable[[str, Message, Message], None]
"""Calls a method of the store with a request, and fills the response."""

DONE_IF_THERE = frozenset({"PutEvents", "PutParentContexts"})
"""Methods without an answer that refuse a second time: the refusal means that the first time was stored."""

_NODES = {
    "PutArtifacts": ("Artifact", "artifacts"),
    "PutExecutions": ("Execution", "executions"),
    "PutContexts": ("Context", "contexts"),
}


def as_repeat(call: Call, method: str, request: Message) -> Message:
    """The request to make after the same one was cut off, and may have been carried out.

    ML Metadata refuses what would be stored twice only where it has a name. So whatever the first request had to make
    is looked up and gets its id here: executions and contexts by their names, artifacts by their names or by the
    event that ties them to the execution (one execution has one output of a key and an index). With its id it is an
    update, and events that are stored already are left out. Reads, and writes of types, attributions and
    associations, may be repeated as they are.

    Raises:
        RunError: something has neither a name nor an event, so nobody can tell whether it was stored.
    """
    if method in _NODES:
        kind, field = _NODES[method]
        repeat = _copy(request)
        for node in getattr(repeat, field):
            if not node.id and not _identify(call, kind, node) and not node.name:
                raise _unknown(method)
        return repeat
    if method == "PutExecution":
        return _execution(call, request)
    if method == "PutLineageSubgraph":
        return _subgraph(call, request)
    return request


def _execution(call: Call, request: Any) -> Any:
    repeat = _copy(request)
    if not _found(call, [repeat.execution], "PutExecution"):
        return request
    stored = _Events(call, [repeat.execution.id])
    for pair in repeat.artifact_event_pairs:
        if pair.HasField("artifact") and not pair.HasField("event") and not pair.artifact.id:
            raise _unknown("PutExecution")
        if stored.identify(repeat.execution.id, pair.artifact, pair.event):
            pair.ClearField("event")
    repeat.options.reuse_context_if_already_exist = True
    return repeat


def _subgraph(call: Call, request: Any) -> Any:
    repeat = _copy(request)
    if not _found(call, repeat.executions, "PutLineageSubgraph"):
        return request
    stored = _Events(call, [execution.id for execution in repeat.executions if execution.id])
    missing = []
    for edge in repeat.event_edges:
        known = edge.HasField("execution_index")
        execution_id = repeat.executions[edge.execution_index].id if known else edge.event.execution_id
        known = edge.HasField("artifact_index")
        artifact = repeat.artifacts[edge.artifact_index] if known else metadata_store_pb2.Artifact()
        if not stored.identify(execution_id, artifact, edge.event):
            missing.append(edge)
    del repeat.event_edges[:]
    repeat.event_edges.extend(missing)
    repeat.options.reuse_context_if_already_exist = True
    return repeat


class _Events:
    """The events of some executions, as they are stored."""

    def __init__(self, call: Call, execution_ids: Iterable[int]) -> None:
        response = service.GetEventsByExecutionIDsResponse()
        request = service.GetEventsByExecutionIDsRequest(execution_ids=execution_ids)
        call("GetEventsByExecutionIDs", request, response)
        self._there = {(event.execution_id, event.artifact_id, event.type) for event in response.events}
        self._by_path = {(event.execution_id, event.type, _path(event)): event.artifact_id for event in response.events}

    def identify(self, execution_id: int, artifact: Any, event: Any) -> bool:
        """Gives the artifact its id if its event is stored; whether it is."""
        if not artifact.id:
            artifact_id = self._by_path.get((execution_id, event.type, _path(event)))
            if artifact_id:
                artifact.id = artifact_id
        return (execution_id, artifact.id or event.artifact_id, event.type) in self._there


def _path(event: Any) -> bytes:
    return bytes(event.path.SerializeToString(deterministic=True))


def _found(call: Call, executions: Iterable[Any], method: str) -> bool:
    """Whether all of these are stored; the ones without an id get it."""
    found = True
    for execution in executions:
        if not execution.id and not execution.name:
            raise _unknown(method)
        found = bool(execution.id) or (_identify(call, "Execution", execution) and found)
    return found


def _identify(call: Call, kind: str, node: Any) -> bool:
    """Gives a node the id under which its name is stored; whether it is."""
    if not node.name:
        return False
    lower = kind.lower()
    types = getattr(service, f"Get{kind}TypesByIDResponse")()
    call(f"Get{kind}TypesByID", getattr(service, f"Get{kind}TypesByIDRequest")(type_ids=[node.type_id]), types)
    (node_type,) = getattr(types, f"{lower}_types")
    request = getattr(service, f"Get{kind}ByTypeAndNameRequest")(type_name=node_type.name)
    setattr(request, f"{lower}_name", node.name)
    if node_type.version:
        request.type_version = node_type.version
    response = getattr(service, f"Get{kind}ByTypeAndNameResponse")()
    call(f"Get{kind}ByTypeAndName", request, response)
    if not response.HasField(lower):
        return False
    node.id = getattr(response, lower).id
    return True


def _copy(request: Any) -> Any:
    copy = type(request)()
    copy.CopyFrom(request)
    return copy


def _unknown(method: str) -> RunError:
    return RunError(
        "The connection to the metadata store broke in a write, and nobody can tell whether it was stored.",
        where=method,
        fix="Look into the store, or run again.",
    )
