from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from configs.settings import Model
from models.architectures import ARCHITECTURES, build_model, make_head
from models.head import Head
from models.network import example_features
from models.two_tower_head import TwoTowerHead
from schemas.errors import TrainingError
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


TABULAR = ARCHITECTURES.keys() - {"two_tower"}
TOWERS = {
    "architecture": "two_tower",
    "hidden_units": [4],
    "embedding_size": 3,
    "towers": {"candidate": ["c"], "size": 2, "retrieval_weight": 0.5},
}


@pytest.mark.parametrize("architecture", sorted(TABULAR))
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


@pytest.mark.parametrize("architecture", sorted(TABULAR))
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


def test_the_candidate_has_a_tower_of_its_own() -> None:
    settings = Model.model_validate(TOWERS)
    head = make_head(settings, LABELS["binary"], np.array([0, 1]))
    model = build_model((Category("c_xf", 5), Dense("x", 2)), settings, head)
    shapes = [tuple(weight.shape) for weight in model.weights]
    query, candidate = [(2, 2), (2,)], [(5, 3), (3, 2), (2,)]
    assert shapes == [*query, *candidate, (6, 4), (4,), (4, 1), (1,), (5, 1)]
    assert isinstance(head, TwoTowerHead)
    assert head.retrieval_weight == 0.5


@pytest.mark.slow
def test_a_step_of_two_towers_moves_the_loss() -> None:
    settings = Model.model_validate(TOWERS)
    inputs = (Category("c_xf", 5), Dense("x", 2))
    label = np.array([[0.0], [1.0]])
    head = make_head(settings, LABELS["binary"], label.ravel())
    model = build_model(inputs, settings, head)
    model.compile(tf.keras.optimizers.SGD(0.1), head.loss(), head.metrics())
    features = {"c_xf": tf.constant([[1], [2]], tf.int64), "x": tf.constant([[1.0, 0.0], [0.0, 1.0]])}
    history = model.fit(features, label, epochs=2, validation_data=(features, label), verbose=0).history
    assert history["loss"][1] < history["loss"][0]
    assert set(history) == {name for key in ("loss", "auc", "accuracy") for name in (key, f"val_{key}")}


def test_two_towers_without_a_candidate() -> None:
    settings = Model(architecture="two_tower")
    with pytest.raises(TrainingError, match=r"(?s)does not know which features.*model\.towers"):
        build_model(KINDS["table"], settings, Head.of(LABELS["binary"], np.array([0, 1])))
