"""Numbers that a training can go on with."""

from __future__ import annotations

import tensorflow as tf

from schemas.errors import TrainingError


def require_finite(model: tf.keras.Model, step: int) -> None:
    """Looks at the weights of a model and at its optimizer's variables.

    Args:
        model: a compiled model.
        step: steps that were made.

    Raises:
        TrainingError: a number is infinite or not a number.
    """
    for variable in [*model.variables, *model.optimizer.variables]:
        for part in getattr(variable, "variables", [variable]):  # of one shared by parameter servers
            if part.dtype.is_floating and not tf.reduce_all(tf.math.is_finite(part.read_value())):
                raise TrainingError(
                    "The weights are no longer finite numbers.",
                    where=f"Trainer, step {step}",
                    received=part.name,
                    fix="Lower training.optimizer.learning_rate, set training.optimizer.clip_norm (1.0 is usual), "
                    "or look for infinite values in the features.",
                )
