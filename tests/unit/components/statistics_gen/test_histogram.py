"""Equally wide buckets from quantiles, by hand and beside TFDV's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tensorflow_data_validation.utils.quantiles_util import generate_equi_width_histogram
from tensorflow_metadata.proto.v0 import statistics_pb2

from components.statistics_gen.histogram import equal_width_histogram

INFINITY = float("inf")


def counts(histogram: statistics_pb2.Histogram) -> list[tuple[float, float, float]]:
    return [(bucket.low_value, bucket.high_value, bucket.sample_count) for bucket in histogram.buckets]


def both(
    quantiles: list[float], cumulative: list[float], *, least: float, greatest: float, buckets: int, infinities: float
) -> tuple[Any, Any]:
    """Ours and TFDV's."""
    arrays = np.array(quantiles), np.array(cumulative)
    ours = equal_width_histogram(*arrays, least=least, greatest=greatest, buckets=buckets, infinities=infinities)
    return counts(ours), counts(generate_equi_width_histogram(*arrays, least, greatest, buckets, infinities))


def test_values_lie_evenly_between_two_quantiles() -> None:
    histogram = equal_width_histogram(
        np.array([0.0, 1.0, 4.0]), np.array([1.0, 3.0, 9.0]), least=0.0, greatest=4.0, buckets=2, infinities=0
    )
    # From 0 to 1 there are three values, the first included, and from 1 to 4 six: two for each unit.
    assert counts(histogram) == [(0, 2, 5), (2, 4, 4)]
    assert histogram.type == statistics_pb2.Histogram.STANDARD


@pytest.mark.parametrize(
    ("quantiles", "cumulative", "least", "greatest", "infinities"),
    [
        ([3.0, 3.0, 3.0], [5.0, 5.0, 5.0], 3.0, 3.0, 0),
        ([0.0, 0.0, 5.0, 5.0, 10.0], [2.0, 4.0, 6.0, 8.0, 9.0], 0.0, 10.0, 0),
        ([-INFINITY, -INFINITY, 1.0, 2.0, INFINITY], [1.0, 2.0, 4.0, 6.0, 9.0], 0.5, 2.5, 3),
        ([-INFINITY, INFINITY], [2.0, 4.0], INFINITY, -INFINITY, 2),
        ([-INFINITY, 7.0], [2.0, 3.0], 7.0, 7.0, 0),
        ([-1e308, 1e308], [1.0, 2.0], -1e308, 1e308, 0),
        ([5.0], [1.0], 5.0, 5.0, 0),
    ],
    ids=["one value", "ties", "both infinities", "no finite value", "one finite value", "overflow", "one quantile"],
)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_awkward_values_as_tfdv(
    quantiles: list[float], cumulative: list[float], least: float, greatest: float, infinities: float
) -> None:
    ours, theirs = both(quantiles, cumulative, least=least, greatest=greatest, buckets=4, infinities=infinities)
    assert ours == theirs


@given(
    values=st.lists(st.integers(-4, 4) | st.floats(-10, 10, width=32), min_size=2, max_size=30),
    buckets=st.integers(1, 12),
)
def test_any_values_as_tfdv(values: list[float], buckets: int) -> None:
    quantiles = sorted(map(float, values))
    ours, theirs = both(
        quantiles,
        [float(number + 1) for number in range(len(values))],
        least=quantiles[0],
        greatest=quantiles[-1],
        buckets=buckets,
        infinities=0,
    )
    assert ours == theirs
