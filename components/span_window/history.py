"""What ML Metadata knows of a pipeline's spans. What is read is a record a span, and not all that ever happened."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ml_metadata.proto import metadata_store_pb2
from tfx.dsl.compiler.compiler_utils import node_context_name
from tfx.dsl.compiler.constants import NODE_CONTEXT_TYPE_NAME
from tfx.types import artifact_utils, standard_artifacts

from schemas.artifact_contents import is_altered
from schemas.artifacts import SPAN_PROPERTY

EXAMPLES_TYPE: str = standard_artifacts.Examples.TYPE_NAME
STATISTICS_TYPE: str = standard_artifacts.ExampleStatistics.TYPE_NAME
CACHE_TYPE: str = standard_artifacts.TransformCache.TYPE_NAME

_LIVE, _DELETED = metadata_store_pb2.Artifact.LIVE, metadata_store_pb2.Artifact.DELETED
_INPUTS = (metadata_store_pb2.Event.INPUT, metadata_store_pb2.Event.DECLARED_INPUT)
_OUTPUTS = (metadata_store_pb2.Event.OUTPUT, metadata_store_pb2.Event.DECLARED_OUTPUT)
_ENDED_WELL = (metadata_store_pb2.Execution.COMPLETE, metadata_store_pb2.Execution.CACHED)
_CHUNK = 500
"""Ids a call: databases take no query of any length."""
_EXAMPLES, _STATISTICS, _CACHE = "examples", "statistics", "updated_analyzer_cache"
_NEAR = 16
"""Examples before a span that are looked at first for the accepted ones before it."""
_MANY = 100
"""Examples of which the executions of a node are listed rather than all that ever read one of them."""


@dataclass(frozen=True)
class Nodes:
    """Whose executions tell of spans.

    Attributes:
        pipeline: name of the pipeline.
        example_gen: id of the node that ingests.
        gate: id of the node that accepts.
        transform: id of the node that keeps what it made of spans.
    """

    pipeline: str
    example_gen: str
    gate: str
    transform: str


@dataclass(frozen=True)
class Accepted:
    """A span that the gate has let pass.

    Attributes:
        span: its number.
        examples: ML Metadata's artifact; its state says whether it is still there.
        statistics: id of the artifact with their statistics.
        gate: id of the execution that accepted it.
    """

    span: int
    examples: Any
    statistics: int
    gate: int


def is_sound(artifact: Any) -> bool:
    """Whether an artifact of ML Metadata is there, with the files that were published."""
    return artifact.state == _LIVE and not is_altered(artifact)


class SpanHistory:
    """The spans of a pipeline.

    Args:
        store: an `ml_metadata.MetadataStore`.
        nodes: whose executions to look at.
    """

    def __init__(self, store: Any, nodes: Nodes) -> None:
        self._store, self._nodes = store, nodes
        self._all: list[Any] | None = None

    def ingested(self, first: int, last: int) -> list[Any]:
        """Examples of spans from `first` to `last`, both included, also those whose files have been removed."""
        return [one for one in self._examples() if first <= _span(one) <= last]

    def accepted(self, examples: Iterable[Any]) -> dict[int, Accepted]:
        """Of each span the examples that the gate has accepted last; spans without any are left out."""
        by_id = {one.id: one for one in examples}
        found: dict[int, Accepted] = {}
        for execution, events in self._users(self._nodes.gate, by_id):
            read = {event.path.steps[0].key: event.artifact_id for event in events if event.type in _INPUTS}
            one = by_id.get(read.get(_EXAMPLES, 0))
            if one is None or _STATISTICS not in read:
                continue
            span = _span(one)
            if span not in found or execution.id > found[span].gate:
                found[span] = Accepted(span, one, read[_STATISTICS], execution.id)
        return found

    def accepted_before(self, span: int) -> Accepted | None:
        """The accepted span of the highest number below this one."""
        earlier = sorted((one for one in self._examples() if _span(one) < span), key=_span, reverse=True)
        for start in range(0, len(earlier), _NEAR):
            if found := self.accepted(earlier[start : start + _NEAR]):
                # Of a span that goes on in the next few only the newest acceptance counts.
                newest = max(found)
                return self.accepted(one for one in earlier if _span(one) == newest)[newest]
        return None

    def made_by(self, examples: Iterable[Any], properties: Collection[str]) -> dict[int, dict[str, str]]:
        """By the id of Examples: some properties of the execution that made them; missing ones are empty."""
        ids = {one.id for one in examples}
        found: dict[int, dict[str, str]] = {}
        for execution, events in self._users(self._nodes.example_gen, ids):
            given = {name: execution.custom_properties[name].string_value for name in properties}
            found |= {event.artifact_id: given for event in events if event.type in _OUTPUTS}
        return found

    def caches(self, examples: Iterable[Any], last: int) -> list[Any]:
        """Analyzer caches of windows that end with `last` at most, and held some of these examples; the best first.

        That is the newest one of the newest span.
        """
        ids = {one.id for one in examples}
        made = {
            event.artifact_id
            for _, events in self._users(self._nodes.transform, ids)
            for event in events
            if event.type in _OUTPUTS and event.path.steps[0].key == _CACHE
        }
        live = [one for one in self._store.get_artifacts_by_id(sorted(made)) if one.state == _LIVE] if made else []
        found = [one for one in live if _span(one) <= last]
        return sorted(found, key=lambda one: (_span(one), one.id), reverse=True)

    def statistics(self, artifact_id: int) -> Any:
        """An artifact of statistics."""
        (found,) = self._store.get_artifacts_by_id([artifact_id])
        return found

    def tfx_artifacts(self, artifacts: Sequence[Any], kind: str) -> list[Any]:
        """ML Metadata's artifacts as TFX's.

        Args:
            artifacts: all of one type.
            kind: its name.
        """
        return artifact_utils.deserialize_artifacts(self._store.get_artifact_type(kind), list(artifacts))

    def _examples(self) -> list[Any]:
        """All that were ever ingested: ML Metadata 1.21 has no conditions, but these are a record a span."""
        if self._all is None:
            context = self._context(self._nodes.example_gen)
            made = [] if context is None else self._store.get_artifacts_by_context(context.id)
            self._all = [one for one in made if one.type == EXAMPLES_TYPE and one.state in (_LIVE, _DELETED)]
        return self._all

    def _users(self, node: str, artifacts: Iterable[int]) -> Iterator[tuple[Any, list[Any]]]:
        """Executions of a node that ended well and read or made one of the artifacts, each with all of its events."""
        ids, context = sorted(artifacts), self._context(node)
        if not ids or context is None:
            return
        if len(ids) > _MANY:
            executions = self._store.get_executions_by_context(context.id)
        else:
            users = {event.execution_id for event in self._store.get_events_by_artifact_ids(ids)}
            executions = self._of(node, self._store.get_executions_by_id(sorted(users)) if users else ())
        ended = [one for one in executions if one.last_known_state in _ENDED_WELL]
        for start in range(0, len(ended), _CHUNK):
            some = ended[start : start + _CHUNK]
            events: dict[int, list[Any]] = {}
            for event in self._store.get_events_by_execution_ids([execution.id for execution in some]):
                events.setdefault(event.execution_id, []).append(event)
            yield from ((execution, events.get(execution.id, [])) for execution in some)

    def _of(self, node: str, executions: Iterable[Any]) -> list[Any]:
        """Those of a node: its class has its name."""
        return [one for one in executions if one.type.endswith(f".{node}")]

    def _context(self, node: str) -> Any:
        name = node_context_name(self._nodes.pipeline, node)
        return self._store.get_context_by_type_and_name(NODE_CONTEXT_TYPE_NAME, name)


def _span(artifact: Any) -> int:
    """Of Examples a property of their type, of an analyzer cache one that Transform sets."""
    properties = artifact.properties if SPAN_PROPERTY in artifact.properties else artifact.custom_properties
    return int(properties[SPAN_PROPERTY].int_value)
