"""The configs that take model servers from one set of labels to another, none of which can break what is served."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from serving.audit_log import STABLE
from serving.served_models import entry_of, labels_of, loaded_versions, with_model

if TYPE_CHECKING:
    from tensorflow_serving.config.model_server_config_pb2 import ModelServerConfig


@dataclass(frozen=True)
class RolloutPlan:
    """Configs of all models, in the order in which servers get them; they differ in one model's entry.

    Attributes:
        before: what undoes the others. Of a model without an entry it loads the newest version, as servers do.
        loading: the labels as they were, and both what they and what the new ones need.
        labelled: the new labels; still loads both, so that `before` can be had back in one step.
        final: the new labels, and only what is needed.
    """

    before: ModelServerConfig
    loading: ModelServerConfig
    labelled: ModelServerConfig
    final: ModelServerConfig

    @classmethod
    def of(
        cls,
        config: ModelServerConfig,
        model: str,
        labels: Mapping[str, int],
        *,
        history: Sequence[int],
        there: Collection[int],
        base_path: str,
    ) -> RolloutPlan:
        """The plan for one model.

        Args:
            config: of all models, as it is.
            model: its name.
            labels: as they are to be.
            history: the versions that rollbacks would go back through once that is done, the last one stable.
            there: the versions that are there.
            base_path: the model's folder, as servers see it.
        """
        old = labels_of(config, model)
        needed = _needed(labels, history, there)
        both = needed | loaded_versions(config, model, there)
        unlabelled = with_model(config, model, base_path, labels=old, versions=None)
        return cls(
            before=config if entry_of(config, model) else unlabelled,
            loading=with_model(config, model, base_path, labels=old, versions=both),
            labelled=with_model(config, model, base_path, labels=labels, versions=both),
            final=with_model(config, model, base_path, labels=labels, versions=needed),
        )


def _needed(labels: Mapping[str, int], history: Sequence[int], there: Collection[int]) -> set[int]:
    """The versions that servers are to hold: those with labels, and the one that a rollback would go back to.

    Not one that is newer than the stable one: requests that name neither version nor label get the newest that is
    loaded.
    """
    previous = next((version for version in reversed(history[:-1]) if version in there), None)
    needed = set(labels.values())
    if previous is not None and previous < labels.get(STABLE, 0):
        needed.add(previous)
    return needed
