"""What is wrong with rows of one piece: which rows, what they hold, and why that cannot be taken."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from components.example_gen.rejected_rows import RejectedRows
from components.example_gen.report import SAMPLES, Report

Sample = tuple[str, str, str]


@dataclass(frozen=True)
class _Fault:
    rows: npt.NDArray[np.intp]
    text: Callable[[int], str]
    reason: Callable[[int], str]
    tell: Callable[[int, Iterable[Sample]], None]


class Faults:
    """The faults of one piece.

    Args:
        rows: number of rows of the piece.

    Attributes:
        rejected: bool [rows]: something is wrong with the row.
    """

    def __init__(self, rows: int) -> None:
        self.rejected = np.zeros(rows, bool)
        self._faults: list[_Fault] = []

    def add(
        self,
        rows: npt.NDArray[np.intp],
        text: Callable[[int], str],
        reason: Callable[[int], str],
        tell: Callable[[int, Iterable[Sample]], None],
    ) -> None:
        """Adds rows that have the same kind of fault.

        Args:
            rows: their numbers in the piece, ascending; not empty.
            text: what a row holds.
            reason: what is wrong with it.
            tell: tells the report of their number and the first few of them.
        """
        self.rejected[rows] = True
        self._faults.append(_Fault(rows, text, reason, tell))

    def tell(
        self,
        path: str,
        unit: str,
        numbers: Callable[[Sequence[int]], list[int]],
        content: Callable[[int], Mapping[str, Any]],
        report: Report,
        letters: RejectedRows,
    ) -> None:
        """Tells the report of all faults, and writes the rejected rows.

        Args:
            path: of the piece's file.
            unit: what numbers count: line, row or record.
            numbers: the number in the file of each of some rows (ascending) of the piece.
            content: the values of a row.
            report: gets the numbers and the first few of each fault.
            letters: gets all rows.
        """
        if not self._faults:
            return
        rejected = np.flatnonzero(self.rejected).tolist()
        report.rejected += len(rejected)
        shown = {int(row) for fault in self._faults for row in fault.rows[:SAMPLES]}
        places = sorted({*shown, *(rejected if letters.wanted else [])})
        number = dict(zip(places, numbers(places), strict=True))
        for fault in self._faults:
            first = [int(row) for row in fault.rows[:SAMPLES]]
            fault.tell(len(fault.rows), [(path, f"{unit} {number[row]}", fault.text(row)) for row in first])
        if letters.wanted:
            reasons: dict[int, list[str]] = {row: [] for row in rejected}
            for fault in self._faults:
                for row in fault.rows.tolist():
                    reasons[row].append(f"{fault.reason(row)}: {fault.text(row)}")
            for row in rejected:
                letters.write({"file": path, unit: number[row], "reasons": reasons[row], "values": content(row)})
