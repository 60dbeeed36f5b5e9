"""Statistics of columns, where a test reads better by columns than by rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest

Columns = Mapping[str, Sequence[Any]]


def rows_of(columns: Columns) -> list[dict[str, Any]]:
    """The rows of columns of values: None is missing, [] an empty list."""
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


@pytest.fixture(scope="session")
def statistics() -> Callable[[Columns], Any]:
    """Makes TFDV's statistics of columns."""
    from pipeline_testing.statistics import statistics as of

    return lambda columns: of(rows_of(columns))
