"""The learning rate as a function of the step."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

import tensorflow as tf

from configs.training import Schedule
from models.scale import UNSCALED, Scale


class LearningRate(tf.keras.optimizers.schedules.LearningRateSchedule):
    """Linear warm-up to the peak, then the decay of the settings.

    With t = step - warmup_steps and d = decay_steps, as a fraction of the peak:

        warm-up      (step + 1) / warmup_steps
        constant     1
        linear       final + (1 - final) (1 - t / d)
        cosine       final + (1 - final) (1 + cos(pi t / d)) / 2
        exponential  max(final, decay_rate ** (t / d))

    linear and cosine stay at `final` after d steps. Source of cosine: Loshchilov and Hutter 2017, SGDR,
    https://arxiv.org/abs/1608.03983, equation 5. All of it is multiplied by the scale of the replicas.

    Args:
        peak: the highest learning rate.
        settings: kind, warm-up and decay.
        total_steps: steps of the whole training; decay_steps defaults to what warm-up leaves of them.
        scale: what more replicas make of it.
    """

    def __init__(self, peak: float, settings: Schedule, total_steps: int, scale: Scale = UNSCALED) -> None:
        self._peak = peak
        self._settings = settings
        self._scale = scale
        self._decay_steps = settings.decay_steps or max(1, total_steps - settings.warmup_steps)

    @tf.autograph.experimental.do_not_convert
    def __call__(self, step: tf.Tensor) -> tf.Tensor:
        """The learning rate at `step`, counted from 0; float32 []."""
        chosen = self._settings
        now = tf.cast(step, tf.float32)
        progress = tf.maximum(now - chosen.warmup_steps, 0.0) / self._decay_steps
        if chosen.kind == "exponential":
            fraction = tf.maximum(chosen.final, tf.pow(chosen.decay_rate, progress))
        elif chosen.kind == "constant":
            fraction = tf.ones_like(now)
        else:
            left = 1.0 - tf.minimum(progress, 1.0)
            if chosen.kind == "cosine":
                left = (1.0 - tf.cos(math.pi * left)) / 2.0
            fraction = chosen.final + (1.0 - chosen.final) * left
        if chosen.warmup_steps:
            fraction = tf.where(now < chosen.warmup_steps, (now + 1.0) / chosen.warmup_steps, fraction)
        return self._peak * fraction * self._scale.at(now)

    def get_config(self) -> dict[str, Any]:
        """Its arguments, JSON-ready."""
        return {
            "peak": self._peak,
            "settings": self._settings.model_dump(mode="json"),
            "decay_steps": self._decay_steps,
            "scale": asdict(self._scale),
        }
