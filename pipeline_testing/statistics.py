"""Statistics of rows in memory, as StatisticsGen computes them, without Beam."""

from __future__ import annotations

import warnings
from typing import Any

import tensorflow_data_validation as tfdv
from tensorflow_data_validation.statistics.stats_impl import generate_statistics_in_memory

from pipeline_testing.rows import Rows, record_batch, to_rows


def statistics(rows: Rows) -> Any:
    """TFDV's `DatasetFeatureStatisticsList` of these rows."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # TFDV computes means of NaN and infinity
        return generate_statistics_in_memory(record_batch(to_rows(rows)), tfdv.StatsOptions())
