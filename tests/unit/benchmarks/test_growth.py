from __future__ import annotations

import pytest

from benchmarks.growth import growth


def test_powers() -> None:
    # 10 times the rows: 10 times the seconds, then 100 times, then as many.
    assert growth([10, 100, 1000, 10_000], [1.0, 10.0, 1000.0, 1000.0]) == pytest.approx([1.0, 2.0, 0.0])


def test_the_step_between_sizes_counts() -> None:
    assert growth([10_000, 40_000], [3.0, 6.0]) == pytest.approx([0.5])


@pytest.mark.parametrize("missing", [None, 0.0])
def test_what_was_not_measured(missing: float | None) -> None:
    assert growth([10, 100, 1000], [missing, 1.0, 10.0]) == [None, pytest.approx(1.0)]


def test_one_size() -> None:
    assert growth([10], [1.0]) == []
