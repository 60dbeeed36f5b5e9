"""Which earlier model the candidate is compared with."""

from __future__ import annotations

from typing import Any

from tfx.dsl.input_resolution.strategies.latest_blessed_model_strategy import LatestBlessedModelStrategy

MODEL = "model"
BLESSING = "model_blessing"
CANDIDATE = "candidate"


class LatestBlessedBeforeStrategy(LatestBlessedModelStrategy):
    """The latest blessed model that is not the candidate itself.

    TFX's own strategy may resolve the candidate: in an unchanged second run the cached model is the latest blessed one.
    It would be compared with itself, and the Evaluator, whose baseline has changed, could not come from the cache.

    Inputs `model` and `model_blessing` as for TFX's strategy, and `candidate`, the model to be evaluated.
    """

    def resolve_artifacts(self, store: Any, input_dict: dict[str, list[Any]]) -> dict[str, list[Any]] | None:
        """The resolved artifacts by input; `model` and `model_blessing` are empty when no other model is blessed."""
        candidates = {artifact.id for artifact in input_dict[CANDIDATE]}
        others = [artifact for artifact in input_dict[MODEL] if artifact.id not in candidates]
        resolved = super().resolve_artifacts(store, {MODEL: others, BLESSING: input_dict[BLESSING]})
        return None if resolved is None else {**resolved, CANDIDATE: input_dict[CANDIDATE]}
