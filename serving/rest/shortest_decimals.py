"""Doubles whose shortest text is the shortest text of a smaller float."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

_POWERS = np.array([float(f"1e{power}") for power in range(23)])  # all of them exact
# Where the arithmetic below is exact; what is outside, or not a number, is rare.
_SMALLEST, _LARGEST = 1e-9, 1e15
_FEW = 64


def shortest_decimals(values: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """For each value the double that prints with the fewest digits that read back as the value.

    float32 0.2 is 0.20000000298023224 as a double, and stands for 0.2: the double 0.2 is what this gives. Numbers of
    6 digits always survive float32, and 9 always suffice.

    Args:
        values: of any shape; float64, float32, or a smaller float.

    Returns:
        Of the same shape; not a number and infinities as they are.
    """
    values = np.asarray(values)
    doubles = values.astype(np.float64, order="C")
    if values.dtype == np.float64:
        return doubles
    if values.size <= _FEW and values.dtype == np.float32:
        # NumPy's own text of a number, which is the shortest one: for few, faster than the passes below.
        doubles.reshape(-1)[:] = [float(str(value)) for value in values.flat]
        return doubles
    flat, source = doubles.reshape(-1), values.reshape(-1)
    magnitude = np.abs(flat)
    usual = (magnitude >= _SMALLEST) & (magnitude < _LARGEST)
    if values.dtype != np.float32:
        usual[:] = False
    for index in np.flatnonzero(~usual & np.isfinite(flat) & (flat != 0)):
        flat[index] = _shortest(float(flat[index]), source[index])
    open_ = np.flatnonzero(usual)
    exact, wanted = flat[open_], source[open_]
    exponents = np.floor(np.log10(magnitude[open_])).astype(np.int64)
    for digits in range(6, 11):
        shift = digits - 1 - exponents
        up, down = _POWERS[np.maximum(shift, 0)], _POWERS[np.maximum(-shift, 0)]
        # Whole numbers below 2^53 and exact powers of ten: the result is the double nearest to the decimal.
        rounded = np.rint(exact * up / down) * down / up
        with np.errstate(over="ignore"):
            fits = rounded.astype(np.float32) == wanted
        flat[open_[fits]] = rounded[fits]
        left = ~fits
        if not left.any():
            break
        open_, exact, wanted, exponents = open_[left], exact[left], wanted[left], exponents[left]
    return doubles


def _shortest(double: float, value: Any) -> float:
    with np.errstate(over="ignore"):
        for digits in range(1, 10):
            rounded = float(f"{double:.{digits}g}")
            if type(value)(rounded) == value:
                return rounded
    return double
