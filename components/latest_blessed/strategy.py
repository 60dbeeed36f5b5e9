"""Which earlier model the candidate is compared with."""

from __future__ import annotations

from typing import Any

from tfx.dsl.input_resolution.strategies.latest_blessed_model_strategy import LatestBlessedModelStrategy

from schemas.artifacts import LABEL_PROPERTY

MODEL = "model"
BLESSING = "model_blessing"
CANDIDATE = "candidate"


class LatestBlessedBeforeStrategy(LatestBlessedModelStrategy):
    """The latest blessed model that predicts what the candidate predicts, and is not the candidate itself.

    TFX's own strategy may resolve the candidate: in an unchanged second run the cached model is the latest blessed one.
    It would be compared with itself, and the Evaluator, whose baseline has changed, could not come from the cache.

    And a model of another label would be held to its own labels: the two metrics could not be compared.

    Inputs `model` and `model_blessing` as for TFX's strategy, and `candidate`, the model to be evaluated; without one,
    as for predictions, the latest blessed model of the label.

    Args:
        label: fingerprint of the label, from `pipeline.evaluation.label_fingerprint`.
    """

    def __init__(self, label: str) -> None:
        self._label = label

    def resolve_artifacts(self, store: Any, input_dict: dict[str, list[Any]]) -> dict[str, list[Any]] | None:
        """The resolved artifacts by input; `model` and `model_blessing` are empty when there is no such model."""
        given = {CANDIDATE: input_dict[CANDIDATE]} if CANDIDATE in input_dict else {}
        candidates = {artifact.id for artifacts in given.values() for artifact in artifacts}
        others = [artifact for artifact in input_dict[MODEL] if artifact.id not in candidates]
        same = [one for one in input_dict[BLESSING] if one.get_string_custom_property(LABEL_PROPERTY) == self._label]
        resolved = super().resolve_artifacts(store, {MODEL: others, BLESSING: same})
        return None if resolved is None else {**resolved, **given}
