"""What more replicas make of the learning rate."""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass

import tensorflow as tf

from configs.training import Scaling
from models.plan import Plan

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Scale:
    """A factor of the learning rate, which it reaches gradually.

    With k replicas the batch is k times as large. Linear: k, Goyal et al. 2017, Accurate, Large Minibatch SGD,
    https://arxiv.org/abs/1706.02677, section 2.1; square root: sqrt(k), Krizhevsky 2014,
    https://arxiv.org/abs/1404.5997, section 5. The warm-up is that of Goyal et al., section 2.2: from 1, by the same
    amount each step.

    Attributes:
        factor: the factor in the end.
        warmup_steps: steps until then.
    """

    factor: float = 1.0
    warmup_steps: int = 0

    @classmethod
    def of(cls, settings: Scaling, plan: Plan) -> Scale:
        """The scale of the settings, logged.

        Args:
            settings: rule and warm-up.
            plan: replicas, and steps: the warm-up takes half of them at most.
        """
        if settings.learning_rate == "none" or plan.replicas == 1:
            return cls()
        factor = float(plan.replicas) if settings.learning_rate == "linear" else math.sqrt(plan.replicas)
        warmup_steps = min(round(settings.warmup_epochs * plan.steps_per_epoch), plan.steps // 2)
        rule = settings.learning_rate.replace("_", " ")
        _LOG.info(
            "Learning rate: scaled by %.4g (%s, %d replicas) after a warm-up of %d steps",
            factor, rule, plan.replicas, warmup_steps,
        )  # fmt: skip
        return cls(factor, warmup_steps)

    def at(self, step: tf.Tensor) -> tf.Tensor:
        """The factor at a step, float32 [], counted from 0."""
        progress = tf.minimum(step / self.warmup_steps, 1.0) if self.warmup_steps else 1.0
        return 1.0 + (self.factor - 1.0) * progress


UNSCALED = Scale()
"""One replica's."""
