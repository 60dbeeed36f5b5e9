"""Executions, their artifacts, and which is whose input or output: a part of what ML Metadata knows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from ml_metadata.proto import metadata_store_pb2

BESIDE_KEYS = frozenset({"baseline_model", "base_model", "previous_statistics", "analyzer_cache"})
"""Inputs that are no data of what was made: what the Evaluator and ExampleValidator compared with, what Transform was
spared, and the weights that a training began with.

Each was made with one of its kind before, so that tracing them would lead back to the first run of all."""

_CHUNK = 500
"""Ids a call: MySQL and SQLite take no query of any length."""
_INPUTS = (metadata_store_pb2.Event.INPUT, metadata_store_pb2.Event.DECLARED_INPUT)
_OUTPUTS = (metadata_store_pb2.Event.OUTPUT, metadata_store_pb2.Event.DECLARED_OUTPUT)


@dataclass(frozen=True)
class Link:
    """An execution's artifact, under the key of its input or output."""

    key: str
    artifact: int


@dataclass
class Graph:
    """Executions and artifacts by id.

    Attributes:
        executions: as ML Metadata has them.
        artifacts: as ML Metadata has them.
        inputs: what each execution read.
        outputs: what each execution made, or, one from the cache, took over.
        resolved: what each resolver found.
        producers: for each artifact the execution that really made it. Those that took it from the cache came later.
    """

    executions: dict[int, Any] = field(default_factory=dict)
    artifacts: dict[int, Any] = field(default_factory=dict)
    inputs: dict[int, list[Link]] = field(default_factory=dict)
    outputs: dict[int, list[Link]] = field(default_factory=dict)
    resolved: dict[int, list[Link]] = field(default_factory=dict)
    producers: dict[int, int] = field(default_factory=dict)


def read_graph(store: Any, executions: Sequence[Any]) -> Graph:
    """These executions with all of their artifacts, in two calls for each 500; without `producers`.

    Args:
        store: an `ml_metadata.MetadataStore`.
        executions: as the store gave them.
    """
    graph = Graph(executions={execution.id: execution for execution in executions})
    _add_events(graph, events_of_executions(store, graph.executions))
    links = (*graph.inputs.values(), *graph.outputs.values(), *graph.resolved.values())
    _add_artifacts(store, graph, {link.artifact for found in links for link in found})
    return graph


def trace_back(store: Any, artifacts: Iterable[int], executions: Iterable[int] = ()) -> Graph:
    """Everything that the artifacts were made of: their producers, what those read, and so on to the data.

    What is of `BESIDE_KEYS` is in the graph, without what it was made of.

    Args:
        store: an `ml_metadata.MetadataStore`.
        artifacts: ids.
        executions: ids of executions whose inputs are traced too, whether they made anything or not.
    """
    graph = Graph()
    wanted, pending, seen = set(artifacts), set(executions), set[int]()
    while wanted or pending:
        seen |= wanted
        for event in events_of_artifacts(store, wanted):
            if event.type in _OUTPUTS:
                earlier = graph.producers.get(event.artifact_id, event.execution_id)
                graph.producers[event.artifact_id] = min(earlier, event.execution_id)
        pending |= {graph.producers[artifact] for artifact in wanted if artifact in graph.producers}
        new = pending - graph.executions.keys()
        graph.executions |= {found.id: found for found in _by_id(store.get_executions_by_id, new)}
        _add_events(graph, events_of_executions(store, new))
        read = [link for execution in new for link in graph.inputs.get(execution, ())]
        wanted = {link.artifact for link in read if link.key not in BESIDE_KEYS} - seen
        pending = set()
    links = (*graph.inputs.values(), *graph.outputs.values())
    _add_artifacts(store, graph, seen | {link.artifact for found in links for link in found})
    return graph


def events_of_executions(store: Any, executions: Iterable[int]) -> list[Any]:
    """Their events, in one call for each 500."""
    return list(_by_id(store.get_events_by_execution_ids, executions))


def events_of_artifacts(store: Any, artifacts: Iterable[int]) -> list[Any]:
    """Their events, in one call for each 500."""
    return list(_by_id(store.get_events_by_artifact_ids, artifacts))


def text(node: Any, name: str) -> str:
    """A string property of an artifact or execution, its own or a custom one; empty when it has none."""
    for properties in (node.properties, node.custom_properties):
        if name in properties:  # asking for a missing one would make it
            return str(properties[name].string_value)
    return ""


def number(node: Any, name: str) -> int | None:
    """An integer property of an artifact or execution, its own or a custom one."""
    for properties in (node.properties, node.custom_properties):
        if name in properties:
            return int(properties[name].int_value)
    return None


def _add_events(graph: Graph, events: Iterable[Any]) -> None:
    for event in events:
        if event.type in _INPUTS:
            links = graph.inputs
        elif event.type in _OUTPUTS:
            links = graph.outputs
        elif event.type == metadata_store_pb2.Event.INTERNAL_OUTPUT:
            links = graph.resolved
        else:
            continue
        key = event.path.steps[0].key if event.path.steps else ""
        links.setdefault(event.execution_id, []).append(Link(key, event.artifact_id))


def _add_artifacts(store: Any, graph: Graph, ids: set[int]) -> None:
    found = _by_id(store.get_artifacts_by_id, ids - graph.artifacts.keys())
    graph.artifacts |= {artifact.id: artifact for artifact in found}


def _by_id(call: Any, ids: Iterable[int]) -> Iterator[Any]:
    ordered = sorted(ids)
    for start in range(0, len(ordered), _CHUNK):
        yield from call(ordered[start : start + _CHUNK])
