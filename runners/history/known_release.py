"""What ML Metadata knows of a release, read at once: the disk is looked at later, when nobody waits for the store."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from tfx.dsl.compiler.constants import PIPELINE_RUN_CONTEXT_TYPE_NAME

from components.pusher.executor import RELEASE_KEY_PROPERTY
from runners.history.graph import Graph, read_graph, text, trace_back
from runners.history.run_and_node import run_and_node
from runners.history.runs import run_executions
from serving.release import Release


@dataclass(frozen=True)
class KnownRelease:
    """A release in ML Metadata.

    Attributes:
        run: whether its run is known.
        pushed: its PushedModel, or None.
        pusher: id of the execution that released it, or None: neither that nor the PushedModel is known.
        graph: what it was made of; empty without a pusher.
        runs: run and node of each execution of the graph.
    """

    run: bool
    pushed: Any | None
    pusher: int | None
    graph: Graph
    runs: dict[int, tuple[str, str]]


def read_release(store: Any, release: Release) -> KnownRelease:
    """Reads it.

    Args:
        store: an `ml_metadata.MetadataStore`.
        release: as its release.json has it.
    """
    run = store.get_context_by_type_and_name(PIPELINE_RUN_CONTEXT_TYPE_NAME, release.run_id) is not None
    pushed = find_pushed(store, release)
    pushers = [] if pushed else [one for one in run_executions(store, release.run_id) if one.type.endswith(".Pusher")]
    if pushed is None and not pushers:
        return KnownRelease(run, None, None, Graph(), {})
    graph = trace_back(store, [pushed.id] if pushed else [], [pusher.id for pusher in pushers])
    pusher = graph.producers[pushed.id] if pushed else pushers[-1].id
    runs = {execution.id: run_and_node(store, execution) for execution in graph.executions.values()}
    return KnownRelease(run, pushed, pusher, graph, runs)


def find_pushed(store: Any, release: Release) -> Any | None:
    """The PushedModel of a release, or None: its run's, else any of the same key."""
    own = read_graph(store, run_executions(store, release.run_id)).artifacts.values()
    found = _of_key(own, release.key)
    # Of a run that was killed before it could say so, a later one may have said it.
    return found or _of_key(store.get_artifacts_by_type("PushedModel"), release.key)


def _of_key(artifacts: Iterable[Any], key: str) -> Any | None:
    for artifact in artifacts:
        if artifact.type == "PushedModel" and text(artifact, RELEASE_KEY_PROPERTY) == key:
            return artifact
    return None
