"""Scores of the rows of a slice, as a Beam combiner."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import apache_beam as beam

from components.evaluator.rows import Rows, Scoring


class ScoreFn(beam.CombineFn):
    """Collects the rows of a slice, and scores them at the end.

    The exact area under a curve needs all rows in one place, so there is no fan-out for the slice of all rows: each
    bundle hands on one accumulator for it, of joined columns.

    Args:
        scoring: which scores.
    """

    def __init__(self, scoring: Scoring) -> None:
        self._scoring = scoring

    def create_accumulator(self) -> list[Rows]:
        """No rows."""
        return []

    def add_input(self, accumulator: list[Rows], element: Any) -> list[Rows]:
        """Takes rows up."""
        accumulator.append(element)
        return accumulator

    def merge_accumulators(self, accumulators: Iterable[list[Rows]]) -> list[Rows]:
        """The rows of all."""
        return [part for accumulator in accumulators for part in accumulator]

    def compact(self, accumulator: list[Rows]) -> list[Rows]:
        """The rows in one piece."""
        return [Rows.joined(accumulator)] if len(accumulator) > 1 else accumulator

    def extract_output(self, accumulator: list[Rows]) -> dict[Any, Any]:
        """Scores by name."""
        return dict(self._scoring.score(Rows.joined(accumulator)))
