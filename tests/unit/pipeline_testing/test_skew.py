from __future__ import annotations

import numpy as np
import pytest

from pipeline_testing.skew import compare


def arrays(**values: list[float]) -> dict[str, np.ndarray]:
    return {key: np.array(value, np.float32) for key, value in values.items()}


def test_the_message_says_feature_row_values_and_request() -> None:
    trained = [arrays(fare_xf=[1.0], hour_xf=[2.0]), arrays(fare_xf=[2.0], hour_xf=[2.0])]
    skew = compare(
        "the graph", trained, [{"fare": 3.0}, {"fare": 4.0}], lambda row: arrays(fare_xf=[1.0], hour_xf=[2.0]), 1e-5
    )
    assert str(skew).splitlines()[:3] == [
        "Serving does not equal training in 1 of 2 features, by the graph.",
        "  fare_xf: 1 of 2 rows",
        "    row 1: training [2], serving [1]; request {'fare': 4.0}",
    ]


def test_equal_within_the_tolerance_and_missing_numbers_are_no_skew() -> None:
    trained = [arrays(a=[1.0, float("nan")])]
    assert not compare("", trained, [{}], lambda row: arrays(a=[1.000001, float("nan")]), 1e-5)


def test_ids_must_be_equal() -> None:
    skew = compare("", [{"id": np.array([100_000])}], [{}], lambda row: {"id": np.array([100_001])}, 1e-3)
    assert "training [100000], serving [100001]" in str(skew)


def test_another_shape_and_an_absent_feature_are_skews() -> None:
    skew = compare("", [arrays(a=[1.0], b=[1.0])], [{}], lambda row: arrays(a=[1.0, 1.0]), 1e-5)
    assert "in 2 of 2 features" in str(skew)
    assert "row 0: training [1], serving nothing" in str(skew)


def test_few_rows_are_listed() -> None:
    skew = compare("", [arrays(a=[1.0])] * 5, [{}] * 5, lambda row: arrays(a=[0.0]), 1e-5)
    assert "    and 2 more rows" in str(skew)


def test_rows_that_are_not_the_same_ones_are_not_compared() -> None:
    with pytest.raises(AssertionError, match="Training saw 1 rows where 2 are asked for"):
        compare("the graph", [arrays(a=[1.0])], [{}, {}], lambda row: {}, 1e-5)
