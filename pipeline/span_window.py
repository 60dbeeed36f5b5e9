"""Nodes of a chain that trains on a window of spans, each of which was ingested and accepted by a run of its own.

AnomalyGate -> SpanWindow -> Transform, which analyses only what no earlier window held
"""

from __future__ import annotations

from tfx.dsl.components.base.base_node import BaseNode
from tfx.dsl.components.common.resolver import Resolver
from tfx.types.channel import BaseChannel, Channel
from tfx.types.standard_artifacts import TransformCache

from components.example_gen.inputs import split_path
from components.example_gen.spans import has_span
from components.queries.query_result import query_text
from components.span_window.history import Nodes
from components.span_window.strategy import CACHE, EXAMPLES, SpanWindowStrategy, nodes_json
from configs.data import Data
from configs.settings import Settings
from pipeline import nodes
from schemas.errors import SettingsError

_NOBODY = "SpanWindow.nobody"
"""Makes nothing. TFX looks up all executions of a channel's producer, of all time; the strategy asks for a few."""


def span_window(settings: Settings, examples: BaseChannel, gate: BaseNode) -> Resolver:
    """The node that finds the examples of the window's spans, and the analyzer cache of an earlier window.

    Args:
        settings: validated settings.
        examples: of the run's own span.
        gate: the node that accepts them.

    Raises:
        SettingsError: the data have no spans.
    """
    if not has_spans(settings.data):
        raise SettingsError(
            "A window is asked for, but the data have no spans.",
            where="window.spans",
            received=f"{settings.window.spans}; data.path: {settings.data.path}"
            if settings.data.query is None
            else f"{settings.window.spans}; data.span: none",
            fix="Put {SPAN} or {YYYY}-{MM}-{DD} into data.path or data.query (and set data.span for a query), or leave "
            "window.spans out.",
        )
    window = Resolver(
        strategy_class=SpanWindowStrategy,
        config={
            "nodes": nodes_json(span_nodes(settings.name)),
            "window": settings.window.model_dump_json(),
            "dated": int(is_dated(settings.data)),
        },
        **{EXAMPLES: examples, CACHE: Channel(type=TransformCache, producer_component_id=_NOBODY)},
    ).with_id(nodes.SPAN_WINDOW)
    window.add_upstream_node(gate)
    return window


def span_nodes(pipeline: str) -> Nodes:
    """Whose executions tell of the spans of a pipeline."""
    return Nodes(pipeline, nodes.EXAMPLE_GEN, nodes.ANOMALY_GATE, nodes.TRANSFORM)


def has_spans(data: Data) -> bool:
    """Whether data arrive in spans; of a query, whether one of them is read."""
    if data.query is not None:
        return data.span is not None
    return has_span(split_path(data.path or "")[1])


def is_dated(data: Data) -> bool:
    """Whether spans are days."""
    return "{YYYY}" in (query_text(data.query) if data.query is not None else data.path or "")
