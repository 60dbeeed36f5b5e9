"""The node that finds the model whose weights a training begins with: BaseModel -> Trainer."""

from __future__ import annotations

from tfx.dsl.components.common.resolver import Resolver
from tfx.types.channel import BaseChannel, Channel
from tfx.types.standard_artifacts import Model

from components.latest_blessed.base_model import EXAMPLES, MODEL, BaseModelStrategy
from configs.settings import Settings
from pipeline import nodes
from pipeline.evaluation import label_fingerprint
from pipeline.span_window import has_spans
from schemas.errors import SettingsError

_NOBODY = "BaseModel.nobody"
"""Makes nothing: the strategy asks for the few models that come into question, TFX would look up all."""


def base_model(settings: Settings, examples: BaseChannel) -> Resolver | None:
    """The node; None where trainings begin from scratch.

    Args:
        settings: validated settings.
        examples: of the run's own span.

    Raises:
        SettingsError: the data have no spans, so that no model is of a span before.
    """
    if not settings.training.warm_start:
        return None
    if not has_spans(settings.data):
        raise SettingsError(
            "A training is to begin with the model of the span before, but the data have no spans.",
            where="training.warm_start",
            received=f"data.path: {settings.data.path}" if settings.data.query is None else "data.span: none",
            fix="Put {SPAN} or {YYYY}-{MM}-{DD} into data.path or data.query (and set data.span for a query), or leave "
            "training.warm_start out.",
        )
    return Resolver(
        strategy_class=BaseModelStrategy,
        config={"pipeline": settings.name, "evaluator": nodes.EVALUATOR, "label": label_fingerprint(settings)},
        **{EXAMPLES: examples, MODEL: Channel(type=Model, producer_component_id=_NOBODY)},
    ).with_id(nodes.BASE_MODEL)
