"""What a backup is of, so that no other training goes on from it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from configs.training import Training
from models.plan import Plan
from schemas.errors import TrainingError

_FILE = "training.json"


@dataclass(frozen=True)
class BackupIdentity:
    """The parts of a training that must not change between two of its processes.

    Attributes:
        parts: JSON-ready, by name.
    """

    parts: dict[str, Any]

    @classmethod
    def of(
        cls,
        model: tf.keras.Model,
        features: Iterable[str],
        settings: Training,
        plan: Plan,
        rows: int,
        *,
        in_memory: bool = True,
    ) -> BackupIdentity:
        """Of a model with its variables made, under the present strategy.

        Rows that are not in memory come in another order.
        """
        strategy = tf.distribute.get_strategy()
        return cls(
            {
                "strategy": type(strategy).__name__,
                "replicas": strategy.num_replicas_in_sync,
                "rows": rows,
                "batch_size": plan.batch_size,
                "steps_per_epoch": plan.steps_per_epoch,
                "features": sorted(features),
                "rows_in_memory": in_memory,
                "optimizer": settings.optimizer.name,
                "seed": settings.seed,
                "variables": [_described(one) for one in model.variables],
            }
        )

    def write(self, directory: str) -> None:
        """Writes it into the folder of the backups, whole or not at all; a second time does nothing."""
        path = tf.io.gfile.join(directory, _FILE)
        if tf.io.gfile.exists(path):
            return
        tf.io.gfile.makedirs(directory)
        with tf.io.gfile.GFile(path + ".part", "w") as file:
            file.write(json.dumps(self.parts))
        tf.io.gfile.rename(path + ".part", path, overwrite=True)

    def check(self, directory: str) -> None:
        """Compares with what was written.

        Raises:
            TrainingError: a part differs; names the first one.
        """
        with tf.io.gfile.GFile(tf.io.gfile.join(directory, _FILE)) as file:
            saved = json.loads(file.read())
        for name, value in self.parts.items():
            if saved.get(name) != value:
                difference = _difference(saved.get(name), value)
                raise TrainingError(
                    f"The backup is of another training: its {name.replace('_', ' ')} {difference}.",
                    where=directory,
                    received=_shown(value),
                    fix="Go on with the settings and the code that the training was begun with, or remove the folder "
                    "to begin anew.",
                )


def _described(variable: tf.Variable) -> str:
    # Keras numbers layers as it makes them in a process, so that only the last part of a name is the same in another.
    return f"{variable.name.rpartition('/')[2]} {variable.dtype.name} {variable.shape.as_list()}"


def _difference(saved: Any, value: Any) -> str:
    if isinstance(saved, list) and isinstance(value, list):
        lost, more = list(Counter(saved) - Counter(value)), list(Counter(value) - Counter(saved))
        return f"had {lost[0]}" if lost else f"had not {more[0]}" if more else "were in another order"
    return f"was {saved}"


def _shown(value: Any) -> str:
    return f"{len(value)} of them" if isinstance(value, list) else str(value)
