"""Executions of a run or of a node found among just these.

TFX reads every execution that the pipeline ever had, once for each input of each node, and then looks which of them
are of the run and of the node that made the input: seconds an input after a year of days, in every node.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from typing import Any

from tfx.dsl.compiler.constants import (
    NODE_CONTEXT_TYPE_NAME,
    PIPELINE_CONTEXT_TYPE_NAME,
    PIPELINE_RUN_CONTEXT_TYPE_NAME,
)
from tfx.orchestration.portable.input_resolution import channel_resolver

_NARROW = (PIPELINE_RUN_CONTEXT_TYPE_NAME, NODE_CONTEXT_TYPE_NAME, PIPELINE_CONTEXT_TYPE_NAME)
"""Types of contexts, from those of the fewest executions."""


@contextlib.contextmanager
def bounded_lookup() -> Iterator[None]:
    """Within it, TFX's input resolution begins with the narrowest context. It offers no place for this, either."""
    look_up = channel_resolver._get_executions_by_all_contexts
    channel_resolver._get_executions_by_all_contexts = executions_of_all
    try:
        yield
    finally:
        channel_resolver._get_executions_by_all_contexts = look_up


def executions_of_all(store: Any, contexts: Iterable[Any]) -> list[Any]:
    """The executions that are in all of the contexts, by id.

    Args:
        store: an `ml_metadata.MetadataStore`.
        contexts: of a pipeline, of a run and of a node, or some of these.
    """
    # The name of a run is unique, and that of a node holds the pipeline's: whatever is in them is in its context.
    ordered = sorted(contexts, key=_width)
    if not ordered:
        return []
    executions = store.get_executions_by_context(ordered[0].id)
    wanted = {context.id for context in ordered[1:] if context.type != PIPELINE_CONTEXT_TYPE_NAME}
    if wanted:
        within = ((one, {context.id for context in store.get_contexts_by_execution(one.id)}) for one in executions)
        executions = [one for one, ids in within if wanted <= ids]
    return sorted(executions, key=lambda execution: execution.id)


def _width(context: Any) -> int:
    return _NARROW.index(context.type) if context.type in _NARROW else len(_NARROW)
