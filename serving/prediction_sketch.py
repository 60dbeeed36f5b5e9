"""How often which predictions were seen: small for any number of them, and comparable between versions and servers.

A number is counted by the first 15 bits of its float32: sign, exponent and 6 bits of the mantissa, which is 64 bins
between two powers of two, each at most 1.6 % wide. Versions whose predictions were counted apart have the same bins.

Counting an answer takes at most some milliseconds, however large it is: of many rows only some are counted.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field

_DROPPED_BITS = 17
_SIGN = 1 << 14
_PARTS = 10
_CATEGORIES = 20
_MOST_CLASSES = 1000
_MOST_ROWS = 1000  # of an answer
_MOST_ELEMENTS = 100_000
_MOST_CHARACTERS = 64
_OTHER = "(other)"

Counts = tuple[list[int], list[int]]


class PredictionSketch(BaseModel):
    """Counts of one output's values.

    Attributes:
        answers: how many had the output.
        numbers: by bin, of numbers other than NaN.
        missing: how many were NaN.
        classes: by number or the digest of a text; from the thousandth different one on, all others together.
    """

    model_config = ConfigDict(extra="forbid")

    answers: int = 0
    numbers: dict[int, int] = Field(default_factory=dict)
    missing: int = 0
    classes: dict[str, int] = Field(default_factory=dict)

    def add(self, values: npt.NDArray[Any]) -> None:
        """Counts the values of an answer, as `predicted` has them."""
        self.answers += 1
        found = predicted(values)
        if found.dtype.kind == "f":
            numbers = found[~np.isnan(found)]
            self.missing += len(found) - len(numbers)
            _add(self.numbers, _counted(number_bins(numbers)))
            return
        for value, count in _counted(found).items():
            # What a client was told is nobody else's business: of texts only a digest is kept.
            name = hashlib.blake2s(value.encode(), digest_size=8).hexdigest() if isinstance(value, str) else str(value)
            self._add_class(name, count)

    def merge(self, other: PredictionSketch) -> None:
        """Adds what another one has counted."""
        self.answers += other.answers
        self.missing += other.missing
        _add(self.numbers, other.numbers)
        for name, count in other.classes.items():
            self._add_class(name, count)

    def copied(self) -> PredictionSketch:
        """The same counts, which stay."""
        return self.model_copy(update={"numbers": dict(self.numbers), "classes": dict(self.classes)})

    def _add_class(self, name: str, count: int) -> None:
        known = name if name in self.classes or len(self.classes) < _MOST_CLASSES else _OTHER
        self.classes[known] = self.classes.get(known, 0) + count


def predicted(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """What one answer predicts, a value a row: float64 [rows], or classes [rows], integers, bool or text.

    Args:
        values: an output. [rows, classes] of numbers become the number of the highest; of strings the beginning stays.
            Of more than 1,000 rows, or 100,000 numbers, so many are taken, as far from each other as from the next.
    """
    if values.dtype.kind in "OSU":
        return np.array([_text(one) for one in _some(values.reshape(-1), _MOST_ROWS)], str)
    if values.dtype.kind == "b":
        return _some(values.reshape(-1), _MOST_ROWS)
    if values.ndim > 1 and values.shape[-1] > 1:
        classes = min(values.shape[-1], _MOST_ELEMENTS)
        rows = _some(values.reshape(-1, values.shape[-1]), min(_MOST_ROWS, _MOST_ELEMENTS // classes))
        found: npt.NDArray[Any] = rows[:, :classes].argmax(axis=-1)
        return found
    return _some(values.reshape(-1), _MOST_ROWS).astype(np.float64)


def number_bins(values: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """The bins of numbers, in the order of the numbers.

    Args:
        values: [values] of float64, without NaN; what is beyond float32 counts as infinite.
    """
    with np.errstate(over="ignore"):
        bits = (values.astype(np.float32) + np.float32(0)).view(np.uint32)  # so that -0 is 0
    bins = (bits >> _DROPPED_BITS).astype(np.int64)
    return np.where(bins >= _SIGN, _SIGN - 1 - bins, bins)


def _some(rows: npt.NDArray[Any], most: int) -> npt.NDArray[Any]:
    return rows[:: max(-(-len(rows) // most), 1)]


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        return value[:_MOST_CHARACTERS].decode(errors="replace")
    return str(value)[:_MOST_CHARACTERS]


def _counted(values: npt.NDArray[Any]) -> dict[Any, int]:
    different, counts = np.unique(values, return_counts=True)
    return dict(zip(different.tolist(), counts.tolist(), strict=True))


def _add(counts: dict[int, int], more: Mapping[int, int]) -> None:
    for number, count in more.items():
        counts[number] = counts.get(number, 0) + count


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
