"""Columns, statistics and anomalies as TFDV makes them, without Beam."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import pyarrow as pa
import pytest
import tensorflow_data_validation as tfdv
from tensorflow_data_validation.statistics.stats_impl import generate_statistics_in_memory
from tensorflow_metadata.proto.v0 import statistics_pb2

Columns = dict[str, Sequence[Any]]


def make_batch(columns: Columns) -> pa.RecordBatch:
    """Rows of at most one value each: floats are float32, None is missing, a list is as many values as it has."""
    arrays = []
    for values in columns.values():
        lists = [value if value is None or isinstance(value, list) else [value] for value in values]
        first = next((value[0] for value in lists if value), None)
        if first is None:
            empty = any(value is not None for value in lists)
            arrays.append(pa.array(lists, pa.list_(pa.float32())) if empty else pa.nulls(len(lists)))
            continue
        kind = pa.float32() if isinstance(first, float) else pa.int64() if isinstance(first, int) else pa.binary()
        arrays.append(pa.array(lists, pa.list_(kind)))
    return pa.RecordBatch.from_arrays(arrays, names=list(columns))


def make_statistics(columns: Columns) -> statistics_pb2.DatasetFeatureStatisticsList:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # TFDV computes means of NaN and infinity
        return generate_statistics_in_memory(make_batch(columns), tfdv.StatsOptions())


@pytest.fixture(scope="session")
def batch() -> Callable[[Columns], pa.RecordBatch]:
    return make_batch


@pytest.fixture(scope="session")
def statistics() -> Callable[[Columns], statistics_pb2.DatasetFeatureStatisticsList]:
    return make_statistics
