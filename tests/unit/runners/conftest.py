"""Statistics as TFDV makes them from columns, without Beam."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pyarrow as pa
import pytest
import tensorflow_data_validation as tfdv
from tensorflow_data_validation.statistics.stats_impl import generate_statistics_in_memory
from tensorflow_metadata.proto.v0 import statistics_pb2


@pytest.fixture(scope="session")
def statistics() -> Callable[[dict[str, Sequence[Any]]], statistics_pb2.DatasetFeatureStatisticsList]:
    """Makes statistics of rows of one value each; None is missing, [] an empty list, floats are float32."""

    def make(columns: dict[str, Sequence[Any]]) -> statistics_pb2.DatasetFeatureStatisticsList:
        arrays = []
        for values in columns.values():
            first = next((value for value in values if value not in (None, [])), None)
            if first is None:
                empty = any(value is not None for value in values)
                arrays.append(pa.array(values, pa.list_(pa.int64())) if empty else pa.nulls(len(values)))
                continue
            kind = pa.float32() if isinstance(first, float) else pa.int64() if isinstance(first, int) else pa.binary()
            arrays.append(pa.array([value if value in (None, []) else [value] for value in values], pa.list_(kind)))
        batch = pa.RecordBatch.from_arrays(arrays, names=list(columns))
        return generate_statistics_in_memory(batch, tfdv.StatsOptions())

    return make
