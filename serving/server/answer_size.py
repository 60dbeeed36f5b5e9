"""How much an answer holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy.typing as npt


def is_small(outputs: Mapping[str, npt.NDArray[Any]], most: int) -> bool:
    """Whether an answer holds at most so many numbers and bytes of strings, all together.

    Args:
        outputs: its arrays; strings as object arrays of bytes.
        most: how many.
    """
    left = most - sum(array.size for array in outputs.values())
    for array in outputs.values():
        if left >= 0 and array.dtype == object:
            left -= sum(map(len, array.flat))
    return left >= 0
