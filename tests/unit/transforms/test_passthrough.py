from __future__ import annotations

from schemas.transformed import Dense


def test_missing_nan_and_infinity_take_fill(kinds):
    assert kinds.of("score_xf") == [[1.5], [7.0], [7.0], [-2.0], [7.0], [7.0]]


def test_model_input(kinds):
    assert kinds.input("score_xf") == Dense("score_xf", 1)
