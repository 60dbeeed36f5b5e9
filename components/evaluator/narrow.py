"""Columns of numbers in the smallest type that holds them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[Any]
"""float32, float64, or whole numbers of any size."""

_WHOLE = (np.int8, np.int16, np.int32)


def narrow(numbers: Numbers) -> Numbers:
    """The same numbers in fewer bytes.

    Args:
        numbers: of any shape.

    Returns:
        Whole numbers and bools as the smallest signed type that holds all of them; what is not whole as it is.
    """
    if numbers.dtype.kind not in "biu" or not numbers.size:
        return numbers
    least, most = int(numbers.min()), int(numbers.max())
    for kind in _WHOLE:
        if np.iinfo(kind).min <= least and most <= np.iinfo(kind).max:
            return numbers.astype(kind, copy=False)
    return numbers
