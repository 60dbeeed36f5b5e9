from __future__ import annotations

import math

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from schemas.features import Numeric
from schemas.transformed import Dense
from transforms.column import Column
from transforms.numeric import numeric
from transforms.statistics import Moments

DEVIATION = math.sqrt(2 / 3)  # Of 1, 2, 3.


def eagerly(values, spec, mean, variance, minimum, maximum):
    steps = numeric(Column(tf.constant(values, tf.float32), "float"), Numeric(kind="numeric", **spec), "x")
    next(steps)
    with pytest.raises(StopIteration) as done:
        steps.send(Moments(*(tf.constant(x, tf.float64) for x in (mean, variance, minimum, maximum))))
    return {key: value.numpy().ravel().tolist() for key, value in done.value.value.items()}


def test_z_score(kinds):
    assert kinds.of("z_xf")[:3] == [[pytest.approx(-1 / DEVIATION)], [0.0], [pytest.approx(1 / DEVIATION)]]


def test_infinity_takes_the_largest_number_seen(kinds):
    assert kinds.of("z_xf")[3] == kinds.of("z_xf")[2]


def test_missing_and_nan_take_the_mean(kinds):
    assert kinds.of("z_xf")[4:] == [[0.0], [0.0]]


def test_min_max(kinds):
    assert kinds.of("min_max_xf") == [[0.0], [0.5], [1.0], [1.0], [0.5], [0.5]]


def test_missing_indicator(kinds):
    assert kinds.of("min_max_missing_xf") == [[0.0], [0.0], [0.0], [0.0], [1.0], [1.0]]


def test_log(kinds):
    mean = (math.log(2) + math.log(3) + math.log(4)) / 3
    expected = [math.log(2), math.log(3), math.log(4), math.log(4), mean, mean]
    assert kinds.of("log_xf") == [[pytest.approx(x)] for x in expected]


def test_fill_is_a_raw_number(kinds):
    assert kinds.of("filled_xf")[4:] == [[0.0], [0.0]]


@pytest.mark.parametrize("key", ["constant_xf", "constant_min_max_xf", "absent_xf"])
def test_a_column_without_spread_is_zero(kinds, key):
    assert kinds.of(key) == [[0.0]] * 6


def test_whole_numbers(kinds):
    third = pytest.approx(1 / 3)
    assert kinds.of("whole_xf") == [[0.0], [third], [1.0]] + [[pytest.approx((70 / 3 - 10) / 30)]] * 3


@pytest.mark.parametrize("key", ["z_xf", "min_max_xf", "min_max_missing_xf", "log_xf", "whole_xf"])
def test_model_input(kinds, key):
    assert kinds.input(key) == Dense(key, 1)


def test_numbers_beyond_the_training_split_are_not_clipped(kinds):
    assert kinds.serve([{"amount": 5.0}])["min_max_xf"].tolist() == [[2.0]]


@pytest.mark.parametrize("scale", ["z_score", "min_max"])
def test_an_absurd_number_is_kept_where_a_model_can_multiply_it(scale):
    found = eagerly([3e38, -3e38, 3.0], {"scale": scale}, 1.0, 4.0, -3.0, 5.0)["x_xf"]
    assert found == [1e6, -1e6, pytest.approx(1.0 if scale == "z_score" else 0.75)]


def test_negative_infinity_takes_the_smallest(kinds):
    assert kinds.serve([{"amount": -math.inf}])["min_max_xf"].tolist() == [[0.0]]


def test_large_whole_numbers_keep_their_digits():
    column = Column(tf.constant([2**40, 2**40 + 1], tf.int64), "int")
    steps = numeric(column, Numeric(kind="numeric", dtype="int", scale="min_max"), "x")
    next(steps)
    with pytest.raises(StopIteration) as done:
        steps.send(Moments(*(tf.constant(float(x), tf.float64) for x in (2**40, 0.25, 2**40, 2**40 + 1))))
    assert done.value.value["x_xf"].numpy().tolist() == [[0.0], [1.0]]


@given(st.lists(st.floats(-1e6, 1e6, width=32), min_size=1, max_size=20))
def test_z_score_is_numpys(values):
    x = np.array(values, np.float64)
    found = eagerly(values, {}, x.mean(), x.var(), x.min(), x.max())["x_xf"]
    expected = (x - x.mean()) / x.std() if x.var() > 0 else np.zeros_like(x)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


@given(st.lists(st.floats(width=32), min_size=1, max_size=20), st.sampled_from(["z_score", "min_max", "none"]))
def test_whatever_comes_the_result_is_finite(values, scale):
    found = eagerly(values, {"scale": scale, "missing_indicator": True}, 1.0, 4.0, -3.0, 5.0)
    assert np.isfinite(found["x_xf"]).all()
    assert found["x_missing_xf"] == [float(math.isnan(x)) for x in values]
