"""The step of the custom loop."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from models.execution import Outputs, Step
from models.gradients import Gradients, gradients_of
from models.network import Network

LOSS, GRADIENT_NORM, STEPS, FINITE_STEPS = "loss", "gradient_norm", "steps", "finite_steps"


def custom_step(model: Network) -> Step:
    """A step of one replica, for `models.execution`.

    Gradients are added up over the replicas before the optimizer clips and applies them, as `fit` does, and the loss
    goes with them in the same exchange.

    Args:
        model: a compiled model.

    Returns:
        batch -> {"loss": of the whole batch, "gradient_norm": global norm before clipping, "steps": 1, "finite_steps":
        1 or, where the loss is not a finite number, 0}.
    """

    def step(batch: Any) -> Outputs:
        loss, gradients = _added_up(*gradients_of(model, batch, model.accumulation))
        norm = tf.linalg.global_norm([gradient for gradient, _ in gradients])
        model.optimizer.apply_gradients(gradients, skip_gradients_aggregation=True)
        one = tf.constant(1, tf.int64)
        return {LOSS: loss, GRADIENT_NORM: norm, STEPS: one, FINITE_STEPS: tf.cast(tf.math.is_finite(loss), tf.int64)}

    return step


def joined(before: Outputs, last: Outputs) -> Outputs:
    """The outputs of steps and of the one after them: of the last one, or of the first whose loss is not finite.

    "finite_steps" counts the steps before that one.
    """
    is_finite = tf.equal(before[FINITE_STEPS], before[STEPS])
    return {
        LOSS: tf.where(is_finite, last[LOSS], before[LOSS]),
        GRADIENT_NORM: tf.where(is_finite, last[GRADIENT_NORM], before[GRADIENT_NORM]),
        STEPS: before[STEPS] + last[STEPS],
        FINITE_STEPS: before[FINITE_STEPS] + tf.where(is_finite, last[FINITE_STEPS], 0),
    }


def _added_up(loss: tf.Tensor, gradients: Gradients) -> tuple[tf.Tensor, Gradients]:
    """Sums over all replicas."""
    known = [(gradient, variable) for gradient, variable in gradients if gradient is not None]
    replica = tf.distribute.get_replica_context()
    if replica.num_replicas_in_sync == 1:
        return loss, known
    total, *sums = replica.all_reduce(tf.distribute.ReduceOp.SUM, [loss, *(gradient for gradient, _ in known)])
    return total, [(one, variable) for one, (_, variable) in zip(sums, known, strict=True)]
