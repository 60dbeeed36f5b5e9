"""Bins of predictions: deciles for numbers, names for classes."""

from __future__ import annotations

import numpy as np

from serving.prediction_bins import predicted, prediction_bins


def test_numbers_are_counted_between_stables_deciles() -> None:
    stable = np.arange(100.0)
    before, now = prediction_bins(stable, np.array([0.0, 5.0, 95.0, 1000.0]))
    assert sum(before) == 100
    assert before == [10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 0]
    assert now == [2, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0]


def test_a_value_that_is_all_there_is_has_its_own_bin() -> None:
    before, now = prediction_bins(np.full(10, 0.5), np.array([0.4, 0.5, 0.6]))
    assert before == [0, 10, 0, 0]
    assert now == [1, 1, 1, 0]


def test_nan_and_infinity_are_counted() -> None:
    nan, inf = float("nan"), float("inf")
    before, now = prediction_bins(np.array([1.0, 1.0, nan]), np.array([inf, nan, nan]))
    assert before[-1] == 1
    assert now[-2:] == [1, 2]
    assert prediction_bins(np.array([nan]), np.array([1.0])) == ([0, 1], [1, 0])


def test_classes_are_counted_by_name_and_the_rare_ones_together() -> None:
    stable = np.array([str(number) for number in range(19)] * 3 + ["rare", "rarer"])
    before, now = prediction_bins(stable, np.array(["0", "new", "new", "new", "new"]))
    assert (len(before), sum(before), sum(now)) == (21, 59, 5)
    assert before[-1] + now[-1] == 2  # rare and rarer; `new` is frequent


def test_what_an_output_predicts() -> None:
    assert predicted(np.array([[0.25], [0.5]], np.float32)).tolist() == [0.25, 0.5]
    assert predicted(np.array([[0.1, 0.9], [0.8, 0.2]])).tolist() == ["1", "0"]
    assert predicted(np.array([b"yes", b"no"], object)).tolist() == ["yes", "no"]
    assert predicted(np.array([True, False])).tolist() == ["True", "False"]
    assert predicted(np.array([3, 4])).tolist() == [3.0, 4.0]
