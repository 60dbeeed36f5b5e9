"""Which run and which node of the graph an execution belongs to."""

from __future__ import annotations

from typing import Any

from tfx.dsl.compiler.constants import (
    NODE_CONTEXT_TYPE_NAME,
    PIPELINE_CONTEXT_TYPE_NAME,
    PIPELINE_RUN_CONTEXT_TYPE_NAME,
)


def run_and_node(store: Any, execution: Any) -> tuple[str, str]:
    """The id of the run and that of the node; one call.

    Args:
        store: an `ml_metadata.MetadataStore`.
        execution: as the store gave it.
    """
    contexts = {context.type: str(context.name) for context in store.get_contexts_by_execution(execution.id)}
    pipeline = contexts.get(PIPELINE_CONTEXT_TYPE_NAME, "")
    node = contexts.get(NODE_CONTEXT_TYPE_NAME, "").removeprefix(f"{pipeline}.")
    return contexts.get(PIPELINE_RUN_CONTEXT_TYPE_NAME, ""), node or str(execution.type).rpartition(".")[2]
