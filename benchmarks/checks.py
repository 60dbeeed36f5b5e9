"""Whether two sides gave the same results; if they did not, their seconds do not compare."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.split_columns import Column
from schemas.errors import RunError

_AUC_TOLERANCE = 0.002
_MEAN_TOLERANCE = 1e-6

Columns = Mapping[str, Column]
Vocabularies = Mapping[str, Sequence[bytes]]


@dataclass(frozen=True)
class Check:
    """One thing that was compared.

    Attributes:
        what: what it is.
        stock: what the stock side gave.
        ours: what our side gave.
        holds: whether that is as it should be.
    """

    what: str
    stock: str
    ours: str
    holds: bool


def check_auc(stock: float, ours: float) -> Check:
    """The same features, model and steps: ours may be better, or worse by what the order of the rows makes."""
    what = f"AUC, at least stock's - {_AUC_TOLERANCE}"
    return Check(what, f"{stock:.4f}", f"{ours:.4f}", ours >= stock - _AUC_TOLERANCE)


def check_rows(split: str, stock: int, ours: int) -> Check:
    """As many rows in a split."""
    return Check(f"rows, {split}", str(stock), str(ours), stock == ours)


def check_columns(split: str, stock: Columns, ours: Columns) -> list[Check]:
    """The same content in the columns that both sides have: numbers of values, means, and texts with their counts.

    Which texts there are, and how often each, is what a vocabulary is made of. Counts must be equal, and means within
    a millionth: the two may add up the numbers in another order.
    """
    both = sorted(stock.keys() & ours.keys())
    numbers = [name for name in both if stock[name].mean is not None and ours[name].mean is not None]
    texts = [name for name in both if stock[name].texts is not None and ours[name].texts is not None]
    return [
        _check(f"numbers of values, {split}", both, lambda name: stock[name].values == ours[name].values),
        _check(f"means of numbers, {split}", numbers, lambda name: _near(stock[name].mean, ours[name].mean)),
        _check(f"texts and their counts, {split}", texts, lambda name: stock[name].texts == ours[name].texts),
    ]


def check_vocabularies(stock: Vocabularies, ours: Vocabularies) -> Check:
    """The same vocabularies: the same values in the same order, by frequency, and by the values where that is equal."""
    names = sorted(stock.keys() | ours.keys())
    return _check("vocabularies", names, lambda name: stock.get(name) == ours.get(name))


def require(checks: Sequence[Mapping[str, Any]]) -> None:
    """Raises where one does not hold.

    Args:
        checks: as dicts, as they are in a result.

    Raises:
        RunError: the sides have given different results.
    """
    failed = [check for check in checks if not check["holds"]]
    if failed:
        raise RunError(
            "The two sides did not give the same results.",
            where="; ".join(check["what"] for check in failed),
            received="; ".join(f"stock {check['stock']}, ours {check['ours']}" for check in failed),
            fix="Their seconds do not compare. --keep leaves what both sides wrote.",
        )


def _check(what: str, names: Sequence[str], same: Callable[[str], bool]) -> Check:
    other = [name for name in names if not same(name)]
    ours = f"others in {', '.join(other)}" if other else "the same"
    return Check(what, f"{len(names)} columns", ours if names else "no such columns", bool(names) and not other)


def _near(one: float | None, other: float | None) -> bool:
    return one is not None and other is not None and math.isclose(one, other, rel_tol=_MEAN_TOLERANCE)
