from __future__ import annotations

from math import log

import numpy as np
import pytest

from benchmarks.scores import class_score, number_score, score


def test_by_hand() -> None:
    found = score(np.array([0.0, 0.0, 1.0, 1.0]), np.array([0.1, 0.6, 0.4, 0.9]))

    assert found.auc == pytest.approx(3 / 4)  # of the four pairs, only (0.6, 0.4) is in the wrong order
    assert found.log_loss == pytest.approx(-(log(0.9) + log(0.4) + log(0.4) + log(0.9)) / 4)
    assert found.accuracy == 0.5
    assert found.mean_prediction == pytest.approx(0.5)
    assert found.mean_label == 0.5
    assert found.calibration == pytest.approx(1.0)


def test_classes_by_hand() -> None:
    found = class_score(np.array([0.0, 2.0]), np.array([[0.5, 0.25, 0.25], [0.5, 0.25, 0.25]]))
    assert found == pytest.approx({"accuracy": 0.5, "log_loss": (log(2) + log(4)) / 2})


def test_numbers_by_hand() -> None:
    found = number_score(np.array([1.0, 3.0]), np.array([4.0, 4.0]))
    assert found == pytest.approx({"mean_absolute_error": 2.0, "root_mean_squared_error": 5**0.5, "calibration": 2.0})
