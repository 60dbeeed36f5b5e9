"""What later windows read of spans that were ingested before."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from components.span_window.history import SpanHistory
from configs.paths import resolve
from configs.settings import Settings
from configs.window import Window
from pipeline.comparisons import measures_drift
from pipeline.span_window import span_nodes
from runners.cleaning.kept import Kept
from schemas.curated import load_schema
from schemas.errors import ScalableTFError

IN_WINDOW = "spans that later windows read"
_LAST = 2**31 - 1


def window_to_keep(settings: Settings) -> Window | None:
    """The window whose spans later runs read; None: they read none.

    Drift is measured from the span before, with a window or without, by thresholds of the settings or of the curated
    schema. One that cannot be read may have some.

    Args:
        settings: of the pipeline.
    """
    schema, path = None, settings.curated_schema.path
    if path is not None:
        try:
            schema = load_schema(Path(resolve(path)))
        except ScalableTFError:
            return settings.window
    return settings.window if settings.window.is_used or measures_drift(settings, schema) else None


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
