"""How seconds grow with rows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise


def growth(rows: Sequence[int], seconds: Sequence[float | None]) -> list[float | None]:
    """The power of the rows by which the seconds grow, from each size to the next.

        power = log(seconds_2 / seconds_1) / log(rows_2 / rows_1)

    1 is linear; less, where what does not depend on the rows still counts.

    Args:
        rows: different sizes.
        seconds: of each size; None or 0 where there is no measurement.

    Returns:
        One number less than there are sizes; None where a measurement is missing.

    >>> growth([100, 10_000], [1.0, 10.0])
    [0.5]
    """
    return [
        math.log(second / first) / math.log(larger / smaller) if first and second else None
        for (smaller, larger), (first, second) in zip(pairwise(rows), pairwise(seconds), strict=True)
    ]
