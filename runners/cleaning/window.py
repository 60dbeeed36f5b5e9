"""What later windows read of spans that were ingested before."""

from __future__ import annotations

from typing import Any

from components.span_window.history import SpanHistory
from configs.window import Window
from pipeline.span_window import span_nodes
from runners.cleaning.kept import Kept

IN_WINDOW = "spans that later windows read"
_LAST = 2**31 - 1


def keep_window(store: Any, pipeline: str, window: Window, kept: Kept) -> None:
    """Keeps the accepted examples and statistics of the spans in the newest window, and the newest analyzer cache.

    The newest window ends with the newest accepted span, whichever run it was that ingested it: while there are too few
    spans, or when old ones are ingested late, runs train on nothing or on other windows.

    Args:
        store: an `ml_metadata.MetadataStore`.
        pipeline: the pipeline's name.
        window: the section of the settings.
        kept: gets them.
    """
    history = SpanHistory(store, span_nodes(pipeline))
    accepted = history.accepted(history.ingested(0, _LAST))
    if not accepted:
        return
    newest = max(accepted)
    first = (window.numbers(newest) or range(newest + 1))[0]
    within = [one for span, one in accepted.items() if span >= first]
    for one in within:
        kept.artifacts.setdefault(one.examples.id, IN_WINDOW)
        kept.artifacts.setdefault(one.statistics, IN_WINDOW)
    for cache in history.caches((one.examples for one in within), newest)[:1]:
        kept.artifacts.setdefault(cache.id, IN_WINDOW)
