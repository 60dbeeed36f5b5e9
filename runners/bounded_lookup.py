"""Inputs of a node found by a question for just them.

TFX reads every execution that the pipeline ever had, once for each input of each node, and then looks which of them
are of the run and of the node that made the input: seconds an input after a year of days, in every node.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import ml_metadata as mlmd
from tfx.orchestration import mlmd_connection_manager
from tfx.orchestration.portable.input_resolution import channel_resolver
from tfx.types import artifact_utils


@contextlib.contextmanager
def bounded_lookup() -> Iterator[None]:
    """Within it, TFX's input resolution asks ML Metadata for what it needs. It offers no place for this, either."""
    resolve = channel_resolver.resolve_single_channel
    channel_resolver.resolve_single_channel = resolve_channel
    try:
        yield
    finally:
        channel_resolver.resolve_single_channel = resolve


def resolve_channel(handle_like: Any, channel: Any) -> list[Any]:
    """The live artifacts of a channel, as TFX's function of another name gives them, by id.

    Args:
        handle_like: TFX's connection to ML Metadata.
        channel: of a compiled pipeline.
    """
    store = mlmd_connection_manager.get_handle(handle_like).store
    contexts = []
    for query in channel.context_queries:
        context = channel_resolver._get_context_from_context_query(store, query)
        if context is None:
            return []
        contexts.append(context)
    if not contexts:
        return []
    within = " AND ".join(f"contexts_{number}.id = {context.id}" for number, context in enumerate(contexts))
    if channel.output_key or len(contexts) > 1:
        executions = store.get_executions(list_options=mlmd.ListOptions(filter_query=within))
        found = channel_resolver._get_output_artifacts(store, executions, channel.output_key) if executions else []
    else:
        # Whoever made it: LatestBlessed looks at every model.
        kind = f"type = '{channel.artifact_query.type.name}' AND {within}"
        found = store.get_artifacts(list_options=mlmd.ListOptions(filter_query=kind))
    if not found:
        return []
    live, artifact_type = channel_resolver._filter_by_artifact_query(store, found, channel.artifact_query)
    artifacts: list[Any] = artifact_utils.deserialize_artifacts(artifact_type, sorted(live, key=lambda one: one.id))
    return artifacts
