"""What a model server answers, beside what it should."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

_SHOWN = 200  # characters of a value


@dataclass(frozen=True)
class Difference:
    """One row of one output.

    Attributes:
        output: its name.
        row: of the split, from 0; None: it is not of one row.
        expected: of the model itself.
        received: of the server.
    """

    output: str
    row: int | None
    expected: str
    received: str


def differences(
    expected: Mapping[str, npt.NDArray[Any]],
    received: Mapping[str, npt.NDArray[Any]],
    rows: Sequence[int],
    tolerance: float,
) -> list[Difference]:
    """Where an answer is not what it should be; no more than one for each row of an output.

    Args:
        expected: outputs, [rows, ...] or without rows.
        received: the same of the server; outputs that are not expected do not matter.
        rows: the rows of the split that were asked for, in their order.
        tolerance: |received - expected| may be `tolerance * (1 + |expected|)`. Whole numbers and texts must be equal.
    """
    found = []
    for output, wanted in sorted(expected.items()):
        if output not in received:
            found.append(Difference(output, None, _shown(wanted), "nothing"))
            continue
        given = np.asarray(received[output])
        if given.shape != wanted.shape:
            found.append(Difference(output, None, f"shape {wanted.shape}", f"shape {given.shape}"))
            continue
        equal = _equal(wanted, given, tolerance)
        if not wanted.ndim or len(wanted) != len(rows):
            if not equal.all():
                found.append(Difference(output, None, _shown(wanted), _shown(given)))
            continue
        for place in np.flatnonzero(~equal.reshape(len(rows), -1).all(axis=1)):
            found.append(Difference(output, rows[place], _shown(wanted[place]), _shown(given[place])))
    return found


def _equal(wanted: npt.NDArray[Any], given: npt.NDArray[Any], tolerance: float) -> npt.NDArray[np.bool_]:
    if wanted.dtype.kind == given.dtype.kind == "f":
        one, other = (side.astype(np.float64) for side in (given, wanted))
        return np.asarray(np.isclose(one, other, rtol=tolerance, atol=tolerance, equal_nan=True))
    return np.asarray(wanted == given)


def _shown(values: Any) -> str:
    array = np.asarray(values)
    if array.dtype.kind == "f":  # as many digits as tell two of its numbers apart
        text = np.array2string(array, separator=", ", threshold=20, floatmode="unique")
    else:
        text = str(array.tolist())
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
