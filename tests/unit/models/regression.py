"""A model of one number and its data, small enough to be trained in a moment."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from configs.settings import Model
from configs.training import Training
from models.architectures import build_model
from models.head import Head
from models.input_fn import Split
from models.network import Network
from schemas.features import NumericLabel
from schemas.transformed import LABEL_KEY, Dense

INPUTS = (Dense("x", 1),)
SPEC = {"x": tf.io.FixedLenFeature([1], tf.float32), LABEL_KEY: tf.io.FixedLenFeature([1], tf.float32)}


def make_split(rows: int = 64, factor: float = 3.0) -> Split:
    """y = factor * x."""
    x = np.linspace(-1, 1, rows, dtype=np.float32)[:, None]
    return Split((), SPEC, factor * x[:, 0], {"x": x, LABEL_KEY: factor * x})


def make_model(seed: int = 1, **settings: Any) -> tuple[Network, Head]:
    """A fresh model and its head."""
    tf.keras.utils.set_random_seed(seed)
    head = Head.of(NumericLabel(kind="numeric", column="y"), make_split().labels)
    return build_model(INPUTS, Model.model_validate({"hidden_units": [4], "cross_layers": 1, **settings}), head), head


def make_training(**settings: Any) -> Training:
    """Settings without what writes to disk."""
    return Training.model_validate(
        {"batch_size": 16, "epochs": 3, "tensorboard": False, "backup": False, "early_stopping": None, **settings}
    )
