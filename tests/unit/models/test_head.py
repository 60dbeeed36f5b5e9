from __future__ import annotations

import math

import numpy as np
import pytest
import tensorflow as tf

from models.head import Head
from schemas.errors import TrainingError
from schemas.features import BinaryLabel, IntegerLabel, NumericLabel, OneHotLabel

BINARY = BinaryLabel(kind="binary", expression="tips > 1")
INTEGER = IntegerLabel(kind="integer", column="y", classes=3)
ONE_HOT = OneHotLabel(kind="one_hot", column="y", classes=("red", "green"))
NUMERIC = NumericLabel(kind="numeric", column="y")


def test_binary_starts_at_the_log_odds() -> None:
    head = Head.of(BINARY, np.array([0, 0, 0, 0, 0, 1, 1]))
    # one is added to each count: 3 / 6
    np.testing.assert_allclose(head.bias, [math.log(3 / 6)], rtol=1e-6)
    layer = head.layer()
    layer.build(tf.TensorShape([None, 4]))
    np.testing.assert_allclose(layer(tf.zeros([1, 4])), [[math.log(3 / 6)]], rtol=1e-6)


def test_binary_loss_is_the_cross_entropy_of_logits() -> None:
    head = Head.of(BINARY, np.array([0, 1]))
    # -log(sigmoid(0)) = log 2; -log(1 - sigmoid(log 3)) = -log(1/4) = log 4
    loss = head.loss()(tf.constant([[1.0], [0.0]]), tf.constant([[0.0], [math.log(3)]]))
    assert float(loss) == pytest.approx((math.log(2) + math.log(4)) / 2)


def test_binary_predictions_are_probabilities() -> None:
    head = Head.of(BINARY, np.array([0, 1]))
    np.testing.assert_allclose(head.predictions(tf.constant([[math.log(3)]])), [[0.75]], rtol=1e-6)


def test_classes_start_at_their_frequencies() -> None:
    head = Head.of(INTEGER, np.array([0, 0, 1]))
    np.testing.assert_allclose(head.predictions(tf.constant([head.bias])), [[3 / 6, 2 / 6, 1 / 6]], rtol=1e-6)


def test_loss_of_classes_is_the_cross_entropy_of_logits() -> None:
    head = Head.of(ONE_HOT, np.array([0, 1]))
    assert head.units == 2
    # softmax([0, log 3]) = [1/4, 3/4]
    loss = head.loss()(tf.constant([[0], [1]], tf.int64), tf.constant([[0.0, math.log(3)]] * 2))
    assert float(loss) == pytest.approx((math.log(4) + math.log(4 / 3)) / 2)


def test_a_number_starts_at_its_mean_in_units_of_its_deviation() -> None:
    head = Head.of(NUMERIC, np.array([10.0, 14.0], np.float32))
    layer = head.layer()
    layer.build(tf.TensorShape([None, 1]))
    np.testing.assert_allclose(layer(tf.zeros([1, 1])), [[12.0]])
    layer.set_weights([np.array([[1.0]]), np.array([6.0])])
    np.testing.assert_allclose(layer(tf.constant([[0.5]])), [[2.0 * (0.5 + 6.0)]])


@pytest.mark.parametrize(("error", "expected"), [(None, 5.0), ("squared", 5.0), ("absolute", 2.0)])
def test_the_error_of_a_number(error: str | None, expected: float) -> None:
    head = Head.of(NUMERIC, np.array([1.0, 2.0]))
    assert float(head.loss(error)(tf.constant([[1.0], [2.0]]), tf.constant([[4.0], [1.0]]))) == expected


def test_equal_numbers_have_a_scale_of_one() -> None:
    assert Head.of(NUMERIC, np.array([3.0, 3.0])).scale == 1.0


def test_outputs_are_float32_under_mixed_precision() -> None:
    layer = Head.of(BINARY, np.array([0, 1])).layer()
    assert layer(tf.zeros([1, 2], tf.bfloat16)).dtype == tf.float32


def test_one_class_is_nothing_to_learn() -> None:
    with pytest.raises(TrainingError, match="nothing to learn") as caught:
        Head.of(BINARY, np.zeros(5))
    assert caught.value.received == "class 0 in all of 5 rows"


@pytest.mark.parametrize("wrong", [-1, 3])
def test_a_class_that_does_not_exist(wrong: int) -> None:
    with pytest.raises(TrainingError, match="does not exist") as caught:
        Head.of(INTEGER, np.array([0, 1, wrong]))
    assert caught.value.received == str(wrong)


def test_a_number_that_is_not_finite() -> None:
    with pytest.raises(TrainingError, match="not a finite number"):
        Head.of(NUMERIC, np.array([1.0, np.nan]))


@pytest.mark.parametrize(
    ("label", "names"),
    [
        (BINARY, {"auc", "accuracy"}),
        (INTEGER, {"accuracy"}),
        (NUMERIC, {"root_mean_squared_error", "mean_absolute_error"}),
    ],
)
def test_metrics_by_label(label: BinaryLabel | IntegerLabel | NumericLabel, names: set[str]) -> None:
    assert {metric.name for metric in Head.of(label, np.array([0, 1])).metrics()} == names
