from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from benchmarks.baseline import fit_baseline
from schemas.features import FeatureTable

pytestmark = pytest.mark.slow  # it really trains or analyses, again and again


@pytest.fixture
def table() -> FeatureTable:
    features: dict[str, Any] = {
        "fare": {"kind": "numeric"},
        "hour": {"kind": "integer", "size": 24},
        "tract": {"kind": "hashed", "dtype": "int", "buckets": 10},
        "how": {"kind": "categorical", "column": "payment"},
    }
    return FeatureTable.model_validate(
        {"features": features, "label": {"kind": "binary", "expression": "tips > 0.2 * fare"}}
    )


def _rows(size: int) -> dict[str, np.ndarray]:
    generator = np.random.default_rng(0)
    return {
        "fare": generator.uniform(0, 1, size).astype(np.float32),
        "hour": generator.integers(0, 24, size).astype(np.float64),
        "tract": np.where(generator.uniform(size=size) < 0.5, np.nan, generator.integers(0, 300, size)),
        "payment": generator.choice(np.array([b"Cash", b"Card", b""], dtype=object), size),
    }


def test_it_learns_from_numbers_and_from_categories(table: FeatureTable) -> None:
    rows = _rows(4000)
    labels = ((rows["payment"] == b"Card") & (rows["fare"] > 0.5)).astype(np.float64)

    fitted = fit_baseline(table, rows, labels, seed=1)

    assert fitted.columns == ("fare", "hour", "tract", "payment")
    assert fitted.categorical == ("payment",)
    assert np.mean((fitted.predict(rows) > 0.5) == labels) > 0.99


def test_categories_that_training_has_not_seen(table: FeatureTable) -> None:
    rows = _rows(500)
    fitted = fit_baseline(table, rows, (rows["fare"] > 0.5).astype(np.float64), seed=1)

    scores = fitted.predict({**rows, "payment": np.full(500, b"Shells", dtype=object)})

    assert np.all((scores >= 0) & (scores <= 1))


def test_the_same_seed_gives_the_same_scores(table: FeatureTable) -> None:
    rows = _rows(500)
    labels = (rows["fare"] > 0.5).astype(np.float64)

    first, second = (fit_baseline(table, rows, labels, seed=1).predict(rows) for _ in range(2))

    np.testing.assert_array_equal(first, second)
