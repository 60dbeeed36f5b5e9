from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from configs.settings import Model
from models.architectures import ARCHITECTURES, build_model
from models.head import Head
from models.network import example_features
from schemas.features import BinaryLabel, IntegerLabel, Label, NumericLabel
from schemas.transformed import Category, Dense, ModelInput, Picture, Tokens

KINDS: dict[str, tuple[ModelInput, ...]] = {
    "table": (Dense("x", 2), Category("c", 5)),
    "text": (Tokens("t", 9, 4, weights="t_weight"),),
    "picture": (Picture("p", 8, 8, 3),),
    "all": (Dense("x", 2), Category("c", 5), Tokens("t", 9, 4), Picture("p", 4, 4, 1)),
}
LABELS: dict[str, Label] = {
    "binary": BinaryLabel(kind="binary", expression="y > 1"),
    "integer": IntegerLabel(kind="integer", column="y", classes=2),
    "numeric": NumericLabel(kind="numeric", column="y"),
}


@pytest.mark.parametrize("architecture", sorted(ARCHITECTURES))
@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_step_on_every_kind_of_input_moves_the_loss(architecture: str, kind: str) -> None:
    tf.keras.utils.set_random_seed(1)
    label = np.array([[0], [1], [1], [1]])
    head = Head.of(LABELS["binary"], label.ravel())
    settings = Model.model_validate({"architecture": architecture, "hidden_units": [4], "cross_layers": 1})
    model = build_model(KINDS[kind], settings, head)
    features = example_features(KINDS[kind], rows=4)
    optimizer = tf.keras.optimizers.SGD(0.1)
    with tf.GradientTape() as tape:
        before = head.loss()(label, model(features, training=True))
    optimizer.apply_gradients(
        zip(tape.gradient(before, model.trainable_variables), model.trainable_variables, strict=True)
    )
    assert float(head.loss()(label, model(features, training=True))) != float(before)


@pytest.mark.parametrize("architecture", sorted(ARCHITECTURES))
@pytest.mark.parametrize(("label", "units"), [("binary", 1), ("integer", 2), ("numeric", 1)])
def test_outputs_by_label(architecture: str, label: str, units: int) -> None:
    head = Head.of(LABELS[label], np.array([0, 1]))
    model = build_model(KINDS["table"], Model.model_validate({"architecture": architecture}), head)
    outputs = model(example_features(KINDS["table"], rows=3))
    assert (outputs.shape, outputs.dtype) == ((3, units), tf.float32)


def test_settings_decide_the_sizes() -> None:
    head = Head.of(LABELS["binary"], np.array([0, 1]))
    settings = Model(architecture="dcn", hidden_units=(7, 5), cross_layers=3, embedding_size=6)
    shapes = [tuple(weight.shape) for weight in build_model(KINDS["table"], settings, head).trainable_variables]
    cross = [(8, 8), (8,)] * 3
    assert shapes == [(5, 6), *cross, (8, 7), (7,), (7, 5), (5,), (13, 1), (1,)]
