"""The optimizer of the settings."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from configs.training import Optimizer
from models.adam import Adam
from models.plain_sgd import PlainSGD
from models.scale import UNSCALED, Scale
from models.schedule import LearningRate


def make_optimizer(settings: Optimizer, total_steps: int, scale: Scale = UNSCALED) -> tf.keras.optimizers.Optimizer:
    """The update rule, its learning-rate schedule, its gradient clipping and its average of the weights.

    Args:
        settings: name, learning rate, schedule, momentum, weight decay, clipping, average.
        total_steps: steps of the whole training, for the schedule.
        scale: what more replicas make of the learning rate.
    """
    plain = settings.schedule.kind == "constant" and not settings.schedule.warmup_steps and scale == UNSCALED
    moving = LearningRate(settings.learning_rate, settings.schedule, total_steps, scale)
    rate = settings.learning_rate if plain else moving
    options: dict[str, Any] = {"learning_rate": rate, "global_clipnorm": settings.clip_norm}
    if settings.name in ("sgd", "rmsprop"):
        options["momentum"] = settings.momentum
    if settings.name == "adamw":
        options["weight_decay"] = settings.weight_decay
    if settings.ema is not None:
        options.update(use_ema=True, ema_momentum=settings.ema)
    classes = {
        "adam": Adam,
        "adamw": tf.keras.optimizers.AdamW,
        "sgd": tf.keras.optimizers.SGD if settings.momentum else PlainSGD,
        "adagrad": tf.keras.optimizers.Adagrad,
        "rmsprop": tf.keras.optimizers.RMSprop,
        "ftrl": tf.keras.optimizers.Ftrl,
    }
    return classes[settings.name](**options)
