"""What a run of the Trainer is told, read back from the `custom_config` of its execution."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from configs.settings import Model
from configs.training import Training
from schemas.errors import TrainingError
from schemas.features import FeatureTable, Label

SETTINGS_KEY = "settings"
FEATURES_KEY = "features"
BACKUP_KEY = "backup_dir"
ROLE_KEY = "role"
CLUSTER_DIR_KEY = "cluster_dir"
MATERIALIZED_KEY = "materialized"
EVALUATOR = "evaluator"
EXAMPLES_KEY = "examples"


@dataclass(frozen=True)
class RunConfig:
    """The settings of one training.

    Attributes:
        model: what is trained.
        training: how.
        table: the feature table; its `inputs` are the columns of a prediction request.
        materialized: the examples are transformed; else they are raw, and the transform graph is applied to them as
            they are read.
        backup_dir: folder that outlives the execution, so that an interrupted training goes on in the next one;
            default: none, the backup lies in the execution's own folder.
        role: `evaluator` for the task that evaluates checkpoints; any other trains.
        cluster_dir: folder that all tasks of the training share.
    """

    model: Model
    training: Training
    table: FeatureTable
    materialized: bool = True
    backup_dir: str | None = None
    role: str = "chief"
    cluster_dir: str | None = None

    @property
    def label(self) -> Label:
        """What is predicted."""
        return self.table.label

    @classmethod
    def from_custom_config(cls, custom_config: Mapping[str, Any] | None) -> RunConfig:
        """Reads `{"settings": {"model", "training"}, "features": table}`; the others, by their names, may follow.

        Raises:
            TrainingError: a part is missing or not valid.
        """
        given = custom_config or {}
        for key in (SETTINGS_KEY, FEATURES_KEY):
            if key not in given:
                raise TrainingError(
                    f"The Trainer's custom_config lacks {key!r}.",
                    where="Trainer",
                    received=sorted(given),
                    fix="Pass custom_config={'settings': {'model': ..., 'training': ...}, 'features': table}.",
                )
        settings = given[SETTINGS_KEY]
        try:
            return cls(
                model=Model.model_validate(settings.get("model") or {}),
                training=Training.model_validate(settings.get("training") or {}),
                table=FeatureTable.model_validate(given[FEATURES_KEY]),
                materialized=given.get(MATERIALIZED_KEY, cls.materialized),
                backup_dir=given.get(BACKUP_KEY),
                role=given.get(ROLE_KEY) or cls.role,
                cluster_dir=given.get(CLUSTER_DIR_KEY),
            )
        except ValidationError as error:
            first = error.errors()[0]
            raise TrainingError(
                f"The Trainer's custom_config is not valid: {first['msg']}.",
                where="Trainer: " + ".".join(str(part) for part in first["loc"]),
                received=first.get("input"),
                fix="Make it from the settings, with model_dump(mode='json').",
            ) from error
