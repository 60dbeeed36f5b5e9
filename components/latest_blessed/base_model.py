"""Which earlier model a training begins with."""

from __future__ import annotations

import logging
from typing import Any

from ml_metadata.proto import metadata_store_pb2
from tfx.dsl.compiler.compiler_utils import node_context_name
from tfx.dsl.compiler.constants import NODE_CONTEXT_TYPE_NAME
from tfx.dsl.components.common.resolver import ResolverStrategy
from tfx.types import artifact_utils

from schemas.artifact_contents import is_altered
from schemas.artifacts import LABEL_PROPERTY, SPAN_PROPERTY

EXAMPLES = "examples"
MODEL = "model"

_LOG = logging.getLogger(__name__)


class BaseModelStrategy(ResolverStrategy):
    """The blessed model of the newest span before the run's own, of the same label.

    The span decides, and not the time: a training that is made again, or for a span that was left out, begins with the
    model that it would have begun with in its turn, and what it made comes from the cache.

    Input `examples` has the run's own; `model` is an input without artifacts.

    Args:
        pipeline: name of the pipeline.
        evaluator: id of the node that blesses.
        label: fingerprint of the label, from `pipeline.evaluation.label_fingerprint`.
    """

    def __init__(self, pipeline: str, evaluator: str, label: str) -> None:
        self._context = node_context_name(pipeline, evaluator)
        self._label = label

    def resolve_artifacts(self, store: Any, input_dict: dict[str, list[Any]]) -> dict[str, list[Any]]:
        """The artifacts by input: of `model` the one, or none where there is no such model any more."""
        (own,) = input_dict[EXAMPLES]
        for blessing in self._blessings(store, own.span):
            (model,) = store.get_artifacts_by_id([blessing.custom_properties["current_model_id"].int_value]) or (None,)
            if model is not None and model.state == metadata_store_pb2.Artifact.LIVE and not is_altered(model):
                span = blessing.custom_properties[SPAN_PROPERTY].int_value
                _LOG.info("The training begins with the blessed model of span %d, %s", span, model.uri)
                found = artifact_utils.deserialize_artifacts(store.get_artifact_type("Model"), [model])
                return {EXAMPLES: [own], MODEL: found}
        _LOG.info("No model of a span before %d is blessed: the training begins from scratch", own.span)
        return {EXAMPLES: [own], MODEL: []}

    def _blessings(self, store: Any, span: int) -> list[Any]:
        """Those before a span, the newest span's last one first; ML Metadata 1.21 has no queries, so all are read."""
        context = store.get_context_by_type_and_name(NODE_CONTEXT_TYPE_NAME, self._context)
        made = [] if context is None else store.get_artifacts_by_context(context.id)
        found = [one for one in made if one.type == "ModelBlessing" and self._counts(one) and _span(one) < span]
        return sorted(found, key=lambda one: (_span(one), one.id), reverse=True)

    def _counts(self, blessing: Any) -> bool:
        given = blessing.custom_properties  # without a span: made before there were any
        return (
            SPAN_PROPERTY in given
            and given["blessed"].int_value == 1
            and given[LABEL_PROPERTY].string_value == self._label
        )


def _span(blessing: Any) -> int:
    return int(blessing.custom_properties[SPAN_PROPERTY].int_value)
