"""Which schema the data of a release was held to, and where it came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from pipeline.nodes import IMPORT_SCHEMA_GEN
from runners.history.graph import Graph, text


@dataclass(frozen=True)
class ReleaseSchema:
    """A schema.

    Attributes:
        artifact: its id.
        source: curated: from a file; inferred: from the data's statistics.
        file: the curated file, or empty.
        uri: folder of the copy that was used.
    """

    artifact: int
    source: Literal["curated", "inferred"]
    file: str
    uri: str


def release_schema(graph: Graph, pusher: int, nodes: Mapping[int, str]) -> ReleaseSchema | None:
    """The schema that the Pusher read; `nodes` are the nodes of executions."""
    for link in graph.inputs.get(pusher, ()):
        if link.key == "schema" and link.artifact in graph.producers:
            producer = graph.producers[link.artifact]
            curated = nodes[producer] == IMPORT_SCHEMA_GEN
            file = text(graph.executions[producer], "schema_file")
            uri = graph.artifacts[link.artifact].uri
            return ReleaseSchema(link.artifact, "curated" if curated else "inferred", file, uri)
    return None
