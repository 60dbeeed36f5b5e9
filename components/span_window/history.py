"""What ML Metadata knows of a pipeline's spans. A question reads what is in its range, not all that ever happened."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import ml_metadata as mlmd
from ml_metadata.proto import metadata_store_pb2
from tfx.dsl.compiler.compiler_utils import node_context_name
from tfx.dsl.compiler.constants import NODE_CONTEXT_TYPE_NAME
from tfx.types import artifact_utils, standard_artifacts

from schemas.artifact_contents import is_altered
from schemas.artifacts import SPAN_PROPERTY

_LIVE = metadata_store_pb2.Artifact.LIVE
_INPUT, _OUTPUT = metadata_store_pb2.Event.INPUT, metadata_store_pb2.Event.OUTPUT
_CHUNK = 200
"""Ids a query: databases and ML Metadata take none of any length."""
_EXAMPLES, _STATISTICS = "examples", "statistics"
_NEAR = 16
"""Spans before a span that are looked at first for the accepted one before it."""


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

    def ingested(self, first: int, last: int, *, limit: int | None = None) -> list[Any]:
        """Examples of spans from `first` to `last`, both included, also those whose files have been removed."""
        condition = f"type = 'Examples' AND properties.span.int_value >= {first} AND "
        condition += f"properties.span.int_value <= {last} AND (state = LIVE OR state = DELETED)"
        return self._artifacts(self._nodes.example_gen, condition, limit)

    def accepted(self, examples: Iterable[Any]) -> dict[int, Accepted]:
        """Of each span the examples that the gate has accepted last; spans without any are left out."""
        by_id = {one.id: one for one in examples}
        found: dict[int, Accepted] = {}
        for execution, events in self._readers(self._nodes.gate, by_id):
            read = {event.path.steps[0].key: event.artifact_id for event in events if event.type == _INPUT}
            one = by_id.get(read.get(_EXAMPLES, 0))
            if one is None or _STATISTICS not in read:
                continue
            span = one.properties["span"].int_value
            if span not in found or execution.id > found[span].gate:
                found[span] = Accepted(span, one, read[_STATISTICS], execution.id)
        return found

    def accepted_before(self, span: int) -> Accepted | None:
        """The accepted span of the highest number below this one."""
        reach, end = _NEAR, span
        while end > 0:
            begin = max(span - reach, 0)
            if found := self.accepted(self.ingested(begin, end - 1)):
                return found[max(found)]
            reach, end = reach * _NEAR, begin
        return None

    def made_by(self, examples: Iterable[Any], properties: Collection[str]) -> dict[int, dict[str, str]]:
        """By the id of Examples: some properties of the execution that made them; missing ones are empty."""
        ids = {one.id for one in examples}
        found: dict[int, dict[str, str]] = {}
        for execution, events in self._readers(self._nodes.example_gen, ids):
            given = {name: execution.custom_properties[name].string_value for name in properties}
            found |= {event.artifact_id: given for event in events if event.type == _OUTPUT}
        return found

    def caches(self, first: int, last: int) -> list[Any]:
        """Analyzer caches whose newest span is from `first` to `last`: the newest span's last, which is best, first."""
        condition = f"type = 'TransformCache' AND custom_properties.{SPAN_PROPERTY}.int_value >= {first} AND "
        condition += f"custom_properties.{SPAN_PROPERTY}.int_value <= {last}"
        found = [one for one in self._artifacts(self._nodes.transform, condition) if one.state == _LIVE]
        return sorted(found, key=lambda one: (one.custom_properties[SPAN_PROPERTY].int_value, one.id), reverse=True)

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

    def _artifacts(self, node: str, condition: str, limit: int | None = None) -> list[Any]:
        options = mlmd.ListOptions(filter_query=f"{condition} AND {self._of(node)}", limit=limit)
        return list(self._store.get_artifacts(list_options=options))

    def _readers(self, node: str, artifacts: Iterable[int]) -> Iterator[tuple[Any, list[Any]]]:
        """Executions of a node that ended well and read or made one of the artifacts, each with all of its events."""
        ids = sorted(artifacts)
        for start in range(0, len(ids), _CHUNK):
            some = ", ".join(map(str, ids[start : start + _CHUNK]))
            condition = f"(last_known_state = COMPLETE OR last_known_state = CACHED) AND {self._of(node)}"
            options = mlmd.ListOptions(filter_query=f"{condition} AND events_0.artifact_id IN ({some})")
            executions = self._store.get_executions(list_options=options)
            events: dict[int, list[Any]] = {}
            numbers = [execution.id for execution in executions]
            for event in self._store.get_events_by_execution_ids(numbers) if numbers else ():
                events.setdefault(event.execution_id, []).append(event)
            yield from ((execution, events.get(execution.id, [])) for execution in executions)

    def _of(self, node: str) -> str:
        context = node_context_name(self._nodes.pipeline, node)
        return f"contexts_0.type = '{NODE_CONTEXT_TYPE_NAME}' AND contexts_0.name = '{context}'"


EXAMPLES_TYPE: str = standard_artifacts.Examples.TYPE_NAME
STATISTICS_TYPE: str = standard_artifacts.ExampleStatistics.TYPE_NAME
CACHE_TYPE: str = standard_artifacts.TransformCache.TYPE_NAME
