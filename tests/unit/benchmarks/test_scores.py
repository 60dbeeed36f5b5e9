from __future__ import annotations

from math import log

import numpy as np
import pytest

from benchmarks.scores import score


def test_by_hand() -> None:
    found = score(np.array([0.0, 0.0, 1.0, 1.0]), np.array([0.1, 0.6, 0.4, 0.9]))

    assert found.auc == pytest.approx(3 / 4)  # of the four pairs, only (0.6, 0.4) is in the wrong order
    assert found.log_loss == pytest.approx(-(log(0.9) + log(0.4) + log(0.4) + log(0.9)) / 4)
    assert found.accuracy == 0.5
    assert found.mean_prediction == pytest.approx(0.5)
    assert found.mean_label == 0.5
    assert found.calibration == pytest.approx(1.0)
