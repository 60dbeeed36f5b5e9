"""What ML Metadata knows of one pipeline: its executions by node, and its artifacts by the folder that holds them."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from tfx.dsl.compiler.constants import NODE_CONTEXT_TYPE_NAME, PIPELINE_CONTEXT_TYPE_NAME

_DEPTH = 3
"""<node>/<key>/<execution id>; a value artifact is a file below."""


@dataclass(frozen=True)
class Stored:
    """A pipeline.

    Attributes:
        executions: of each node, by id.
        artifacts: by id.
        places: ids of the artifacts below the folder of artifacts, by the real path of <node>/<key>/<execution id>.
    """

    executions: dict[str, dict[int, Any]]
    artifacts: dict[int, Any]
    places: dict[str, list[int]]


def read_stored(store: Any, pipeline: str, nodes: Iterable[str], artifacts_dir: Path) -> Stored:
    """Reads it, in one list call for the artifacts and one for each node.

    Args:
        store: an `ml_metadata.MetadataStore`.
        pipeline: the pipeline's name.
        nodes: ids of nodes, of this pipeline or not.
        artifacts_dir: folder of the artifacts.
    """
    context = store.get_context_by_type_and_name(PIPELINE_CONTEXT_TYPE_NAME, pipeline)
    found = store.get_artifacts_by_context(context.id) if context is not None else []
    executions: dict[str, dict[int, Any]] = {}
    for node in nodes:
        of_node = store.get_context_by_type_and_name(NODE_CONTEXT_TYPE_NAME, f"{pipeline}.{node}")
        listed = store.get_executions_by_context(of_node.id) if of_node is not None else []
        executions[node] = {execution.id: execution for execution in listed}
    root = os.path.realpath(artifacts_dir)
    places: dict[str, list[int]] = {}
    for artifact in found:
        place = _place(artifact.uri, root)
        if place is not None:
            places.setdefault(place, []).append(artifact.id)
    return Stored(executions, {artifact.id: artifact for artifact in found}, places)


def other_executions(store: Any, pipeline: str, node: str) -> list[Any]:
    """The executions of a node of this name in all other pipelines of the store."""
    contexts = store.get_contexts_by_type(NODE_CONTEXT_TYPE_NAME)
    others = [one.id for one in contexts if one.name.endswith(f".{node}") and one.name != f"{pipeline}.{node}"]
    return [execution for context in others for execution in store.get_executions_by_context(context)]


def _place(uri: str, root: str) -> str | None:
    """The folder <root>/<node>/<key>/<execution id> that holds an artifact, however its URI is spelt, or None."""
    parts = uri.rstrip("/").split("/")
    for end in (len(parts), len(parts) - 1):
        if end > _DEPTH and _real("/".join(parts[: end - _DEPTH])) == root:
            return "/".join([root, *parts[end - _DEPTH : end]])
    return None


@lru_cache(maxsize=1024)
def _real(path: str) -> str:
    return os.path.realpath(path)
