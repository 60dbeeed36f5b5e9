from __future__ import annotations

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from serving.rest.shortest_decimals import shortest_decimals


def test_a_double_that_prints_as_the_float_does() -> None:
    found = shortest_decimals(np.float32([[0.2], [1 / 3]]))
    assert found.dtype == np.float64
    assert found.tolist() == [[0.2], [0.33333334]]


def test_any_layout_and_scalars() -> None:
    values = np.float32([[0.1, 0.2], [0.3, 0.4]]).T
    assert shortest_decimals(values).tolist() == [[0.1, 0.3], [0.2, 0.4]]
    assert shortest_decimals(np.float32(0.1)).tolist() == 0.1
    assert shortest_decimals(np.zeros((0, 3), np.float32)).shape == (0, 3)


@given(st.floats(width=32, allow_nan=False))
@example(9.999999e8)
@example(1e-9)
@example(999999.94)
@example(8.589973e9)
def test_the_shortest_text_that_reads_back(value: float) -> None:
    few, many = np.float32([value]), np.float32([value] * 100)
    # Dragon4 of numpy, one value at a time, of which few are made.
    expected = float(str(few[0]))
    assert shortest_decimals(few).tolist() == [expected]
    assert shortest_decimals(many).tolist() == [expected] * 100
