from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from components.evaluator.narrow import narrow
from components.evaluator.rows import Rows, Scoring


@pytest.mark.parametrize(
    ("numbers", "kind"),
    [
        (np.array([0, 1], np.int64), np.int8),
        (np.array([True, False]), np.int8),
        (np.array([-128, 127], np.int64), np.int8),
        (np.array([-129, 127], np.int64), np.int16),
        (np.array([0, 128], np.uint8), np.int16),
        (np.array([1 << 31], np.int64), np.int64),
        (np.array([], np.int64), np.int64),
        (np.array([0.5], np.float32), np.float32),
        (np.array([1.0], np.float64), np.float64),
    ],
    ids=["labels", "bools", "the ends", "beyond the ends", "unsigned", "large", "none", "float32", "float64"],
)
def test_the_smallest_type_that_holds_all(numbers: npt.NDArray[Any], kind: type) -> None:
    found = narrow(numbers)
    assert found.dtype == kind
    assert found.tolist() == numbers.tolist()


@pytest.mark.parametrize("kind", ["binary", "classes", "number"])
def test_scores_do_not_depend_on_the_type(kind: str) -> None:
    random = np.random.default_rng(3)
    labels = random.integers(0, 2, (1000, 1))
    predictions = random.random((1000, 2 if kind == "classes" else 1), np.float32)
    metrics = {"binary": ("auc", "loss", "calibration"), "classes": ("accuracy", "loss")}.get(kind, ("loss",))
    scoring = Scoring(kind, metrics)
    wide = Rows(labels.astype(np.float64), predictions.astype(np.float64), np.ones(1000))
    parts = [
        Rows(narrow(labels[rows]), predictions[rows], np.ones(500, np.int8)) for rows in np.split(np.arange(1000), 2)
    ]
    joined = Rows.joined(parts)
    assert sum(column.nbytes for column in (joined.labels, joined.predictions, joined.weights)) == 1000 * (
        2 + predictions[0].nbytes
    )
    assert scoring.score(joined) == scoring.score(wide)
