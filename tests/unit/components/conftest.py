"""Columns as they are read from examples."""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa
import pytest

from pipeline_testing.rows import record_batch
from tests.unit.conftest import Columns, rows_of


@pytest.fixture(scope="session")
def batch() -> Callable[[Columns], pa.RecordBatch]:
    """Makes list columns of columns of values."""
    return lambda columns: record_batch(rows_of(columns))
