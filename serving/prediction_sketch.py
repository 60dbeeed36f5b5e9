"""How often which predictions were seen: small for any number of them, and comparable between versions and servers.

A number is counted by the first 15 bits of its float32: sign, exponent and 6 bits of the mantissa, which is 64 bins
between two powers of two, each at most 1.6 % wide. Versions whose predictions were counted apart have the same bins.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field

_DROPPED_BITS = 17
_SIGN = 1 << 14
_PARTS = 10
_CATEGORIES = 20
_MOST_CLASSES = 1000
_OTHER = "(other)"

Counts = tuple[list[int], list[int]]


class PredictionSketch(BaseModel):
    """Counts of one output's values.

    Attributes:
        numbers: by bin, of numbers other than NaN.
        missing: how many were NaN.
        classes: by number or the digest of a text; from the thousandth different one on, all others together.
    """

    model_config = ConfigDict(extra="forbid")

    numbers: dict[int, int] = Field(default_factory=dict)
    missing: int = 0
    classes: dict[str, int] = Field(default_factory=dict)

    def add(self, values: npt.NDArray[Any]) -> None:
        """Counts the values of an answer, as `predicted` has them."""
        found = predicted(values)
        if found.dtype.kind == "U":
            # What a client was told is nobody else's business: of texts only a digest is kept.
            private = values.dtype.kind in "OSU"
            for text, count in Counter(found.tolist()).items():
                name = hashlib.blake2s(text.encode(), digest_size=8).hexdigest() if private else text
                known = name if name in self.classes or len(self.classes) < _MOST_CLASSES else _OTHER
                self.classes[known] = self.classes.get(known, 0) + count
            return
        numbers = found[~np.isnan(found)]
        self.missing += len(found) - len(numbers)
        for number, count in Counter(number_bins(numbers).tolist()).items():
            self.numbers[number] = self.numbers.get(number, 0) + count

    def merge(self, other: PredictionSketch) -> None:
        """Adds what another one has counted."""
        self.numbers = dict(Counter(self.numbers) + Counter(other.numbers))
        self.classes = dict(Counter(self.classes) + Counter(other.classes))
        self.missing += other.missing


def predicted(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """What one answer predicts, a value a row: numbers [rows], or classes as text [rows].

    Args:
        values: an output. [rows, classes] of numbers become the number of the highest, as text; strings stay.
    """
    if values.dtype.kind in "OSU":
        return np.array([one.decode(errors="replace") if isinstance(one, bytes) else str(one) for one in values.flat])
    if values.dtype.kind == "b" or (values.ndim > 1 and values.shape[-1] > 1):
        classes = values if values.dtype.kind == "b" else values.argmax(axis=-1)
        return classes.ravel().astype(str)
    return values.ravel().astype(np.float64)


def number_bins(values: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """The bins of numbers, in the order of the numbers.

    Args:
        values: [values] of float64, without NaN; what is beyond float32 counts as infinite.
    """
    with np.errstate(over="ignore"):
        bits = (values.astype(np.float32) + np.float32(0)).view(np.uint32)  # so that -0 is 0
    bins = (bits >> _DROPPED_BITS).astype(np.int64)
    return np.where(bins >= _SIGN, _SIGN - 1 - bins, bins)


def sketch_bins(stable: PredictionSketch, canary: PredictionSketch) -> Counts:
    """Counts of stable's and canary's values in common bins.

    Numbers: bins between the deciles of stable's values, and one for NaN; a number that fills a fifth has a bin of its
    own. Classes: the 20 most frequent, and one bin for all others.
    """
    if stable.classes or canary.classes:
        before, now = _as_classes(stable), _as_classes(canary)
        names = [name for name, _ in (before + now).most_common(_CATEGORIES)]
        return _of_classes(before, names), _of_classes(now, names)
    edges = _edges(stable.numbers)
    return _by_edges(stable, edges), _by_edges(canary, edges)


def _edges(numbers: dict[int, int]) -> list[int]:
    """The last number of each bin but the last one."""
    total, newest = sum(numbers.values()), max(numbers, default=0)
    edges: set[int] = set()
    since = 0
    for number, count in sorted(numbers.items()):
        if count * _PARTS >= 2 * total:  # it has a bin of its own
            edges |= {number - 1, number}
            since = 0
            continue
        since += count
        if since * _PARTS >= total and number != newest:
            edges.add(number)
            since = 0
    return sorted(edges)


def _by_edges(sketch: PredictionSketch, edges: Sequence[int]) -> list[int]:
    counts = [0] * (len(edges) + 1)
    for number, count in sketch.numbers.items():
        counts[int(np.searchsorted(edges, number))] += count
    return [*counts, sketch.missing]


def _as_classes(sketch: PredictionSketch) -> Counter[str]:
    numbers = {str(number): count for number, count in sketch.numbers.items()}
    return Counter(sketch.classes) + Counter(numbers) + Counter({"NaN": sketch.missing})


def _of_classes(counts: Counter[str], names: Sequence[str]) -> list[int]:
    found = [counts[name] for name in names]
    return [*found, counts.total() - sum(found)]
