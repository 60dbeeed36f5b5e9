"""Row accounting: what ExampleGen wrote is what StatisticsGen read."""

from __future__ import annotations

from collections.abc import Mapping

import tensorflow_data_validation as tfdv
from tensorflow_metadata.proto.v0 import statistics_pb2

from schemas.errors import DataError

Statistics = Mapping[str, statistics_pb2.DatasetFeatureStatisticsList]
"""Statistics by split."""


def counted_rows(statistics: Statistics) -> dict[str, int]:
    """Rows that the statistics of each split were computed from."""
    return {split: default_dataset(found).num_examples for split, found in statistics.items()}


def default_dataset(
    statistics: statistics_pb2.DatasetFeatureStatisticsList,
) -> statistics_pb2.DatasetFeatureStatistics:
    """The statistics over all rows, where there may also be some of slices."""
    return tfdv.DatasetListView(statistics).get_default_slice_or_die().proto()


def check_rows(written: Mapping[str, int], statistics: Statistics) -> None:
    """Compares the rows that were written with those that were counted, split by split.

    Args:
        written: rows of each split, as ExampleGen recorded them.
        statistics: statistics of each split.

    Raises:
        DataError: a split has no statistics, or its number of rows differs.
    """
    counted = counted_rows(statistics)
    wrong = [
        f"{split}: {rows} written, {counted.get(split, 'no statistics')}" + (" counted" if split in counted else "")
        for split, rows in written.items()
        if counted.get(split) != rows
    ]
    if wrong:
        raise DataError(
            "Rows were lost between ExampleGen and StatisticsGen: the statistics do not describe the examples.",
            where="AnomalyGate, splits " + ", ".join(s for s, n in written.items() if counted.get(s) != n),
            received="; ".join(wrong),
            fix="A file of the examples is missing, truncated or was added by hand. "
            "Run again without the cache: --set runner.cache=false",
        )
