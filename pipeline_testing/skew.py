"""Where serving differs from training, in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Arrays = Mapping[str, Array]
Serve = Callable[[Mapping[str, Any]], Arrays]
"""Answers one request: a row of raw columns."""

_ROWS_SHOWN = 3
_VALUES_SHOWN = 8


@dataclass(frozen=True)
class Difference:
    """One feature of one row; None where serving does not give the feature."""

    row: int
    trained: Array
    served: Array | None
    request: Mapping[str, Any]

    def __str__(self) -> str:
        served = "nothing" if self.served is None else _text(self.served)
        return f"    row {self.row}: training {_text(self.trained)}, serving {served}; request {dict(self.request)}"


@dataclass
class Skew:
    """The features that differ, with the rows where they do.

    Attributes:
        way: how the requests were answered.
        rows: rows that were compared.
        features: differences by transformed feature; those that never differ are there without any.
    """

    way: str
    rows: int = 0
    features: dict[str, list[Difference]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return any(self.features.values())

    def __str__(self) -> str:
        differing = {key: found for key, found in sorted(self.features.items()) if found}
        lines = [
            f"Serving does not equal training in {len(differing)} of {len(self.features)} features, by {self.way}."
        ]
        for key, found in differing.items():
            lines.append(f"  {key}: {len(found)} of {self.rows} rows")
            lines += [str(difference) for difference in found[:_ROWS_SHOWN]]
            if len(found) > _ROWS_SHOWN:
                lines.append(f"    and {len(found) - _ROWS_SHOWN} more rows")
        lines.append(
            "  Often: a value computed over the batch (tf.reduce_mean) instead of over the data (tft.mean), "
            "or a feature that reads the label."
        )
        return "\n".join(lines)


def compare(
    way: str, trained: Sequence[Arrays], requests: Sequence[Mapping[str, Any]], serve: Serve, tolerance: float
) -> Skew:
    """Asks for each row alone and compares the answer with what training saw.

    Args:
        way: how `serve` answers, for the message.
        trained: transformed features, a row at a time.
        requests: the same rows, raw.
        serve: answers a request.
        tolerance: of floats, relative and near zero absolute; everything else must be equal.

    Raises:
        AssertionError: training saw another number of rows.
    """
    if len(trained) != len(requests):
        raise AssertionError(f"Training saw {len(trained)} rows where {len(requests)} are asked for, by {way}.")
    skew = Skew(way, len(requests))
    for number, (seen, request) in enumerate(zip(trained, requests, strict=True)):
        served = serve(request)
        for key, value in seen.items():
            answer = served.get(key)
            differences = skew.features.setdefault(key, [])
            if answer is None or not _equal(value, answer, tolerance):
                differences.append(Difference(number, value, answer, request))
    return skew


def _equal(left: Array, right: Array, tolerance: float) -> bool:
    if left.shape != right.shape:
        return False
    if left.dtype.kind == "f":
        return bool(np.allclose(left, right, rtol=tolerance, atol=tolerance, equal_nan=True))
    return bool(np.array_equal(left, right))


def _text(values: Array) -> str:
    flat = values.ravel()
    shown = ", ".join(f"{value:.6g}" if flat.dtype.kind == "f" else str(value) for value in flat[:_VALUES_SHOWN])
    return f"[{shown}{', ...' if flat.size > _VALUES_SHOWN else ''}]"
