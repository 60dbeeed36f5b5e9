"""Predictions of two versions, counted in the same bins."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

_QUANTILES = np.arange(0.1, 1.0, 0.1)
_CATEGORIES = 20

Counts = tuple[list[int], list[int]]


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


def prediction_bins(stable: npt.NDArray[Any], canary: npt.NDArray[Any]) -> Counts:
    """Counts of stable's and canary's values.

    Numbers: bins between the deciles of stable's values, and one for NaN; a value that fills a decile has a bin of its
    own. Classes: the 20 most frequent, and one bin for all others.

    Args:
        stable: [values], of `predicted`, at least one.
        canary: [values], of `predicted`.
    """
    if stable.dtype.kind == "U" or canary.dtype.kind == "U":
        return _by_class(stable.astype(str).tolist(), canary.astype(str).tolist())
    known = stable[~np.isnan(stable)]
    edges = np.empty(0)
    if len(known):
        deciles, times = np.unique(np.quantile(known, _QUANTILES, method="lower"), return_counts=True)
        edges = np.unique(np.concatenate([deciles, np.nextafter(deciles[times > 1], -np.inf)]))
    return _by_edges(stable, edges), _by_edges(canary, edges)


def _by_edges(values: npt.NDArray[Any], edges: npt.NDArray[Any]) -> list[int]:
    missing = np.isnan(values)
    counts = np.bincount(np.searchsorted(edges, values[~missing], side="left"), minlength=len(edges) + 1)
    return [*counts.tolist(), int(missing.sum())]


def _by_class(stable: Sequence[str], canary: Sequence[str]) -> Counts:
    before, now = Counter(stable), Counter(canary)
    names = [name for name, _ in (before + now).most_common(_CATEGORIES)]
    return _of(before, names), _of(now, names)


def _of(counts: Counter[str], names: Sequence[str]) -> list[int]:
    found = [counts[name] for name in names]
    return [*found, counts.total() - sum(found)]
