"""TFDV's basic statistics, with histograms made in array operations."""

from __future__ import annotations

import math
from typing import Any

from tensorflow_data_validation.statistics.generators import basic_stats_generator
from tensorflow_data_validation.statistics.stats_options import StatsOptions
from tensorflow_data_validation.utils import quantiles_util
from tensorflow_metadata.proto.v0 import statistics_pb2

from components.statistics_gen.histogram import equal_width_histogram

_QUANTILES_IN_BUCKET = basic_stats_generator._NUM_QUANTILES_FACTOR_FOR_STD_HISTOGRAM


class BasicStatistics(basic_stats_generator.BasicStatsGenerator):
    """What TFDV's generator gives.

    Args:
        options: without weights.
    """

    def __init__(self, options: StatsOptions) -> None:
        super().__init__(
            schema=options.schema,
            num_values_histogram_buckets=options.num_values_histogram_buckets,
            num_histogram_buckets=options.num_histogram_buckets,
            num_quantiles_histogram_buckets=options.num_quantiles_histogram_buckets,
            epsilon=options.epsilon,
        )

    def extract_output(self, accumulator: Any) -> statistics_pb2.DatasetFeatureStatistics:
        """Statistics of each feature."""
        # Without a sketch TFDV makes all but the histograms and the median, which then is NaN.
        sketches = []
        for partial in accumulator.values():
            sketches.append(partial.numeric_stats.quantiles_summary)
            partial.numeric_stats.quantiles_summary = None
        made = super().extract_output(accumulator)
        for feature, sketch, partial in zip(made.features, sketches, accumulator.values(), strict=True):
            partial.numeric_stats.quantiles_summary = sketch
            if math.isnan(feature.num_stats.median):
                self._add_histograms(feature.num_stats, sketch, partial.numeric_stats)
        return made

    def _add_histograms(self, statistics: statistics_pb2.NumericStatistics, sketch: Any, partial: Any) -> None:
        intervals = _QUANTILES_IN_BUCKET * self._num_quantiles_histogram_buckets
        quantiles, cumulative = (
            part.flatten().to_numpy(zero_copy_only=False) for part in sketch.GetQuantilesAndCumulativeWeights(intervals)
        )
        statistics.median = quantiles_util.find_median(quantiles)
        equal = equal_width_histogram(
            quantiles,
            cumulative,
            least=float(partial.finite_min),  # NumPy 2 would go on with a float32 in that precision
            greatest=float(partial.finite_max),
            buckets=self._num_histogram_buckets,
            infinities=partial.pos_inf_count,
        )
        by_quantiles = quantiles_util.generate_quantiles_histogram(
            *quantiles_util.rebin_quantiles(quantiles, cumulative, _QUANTILES_IN_BUCKET)
        )
        for histogram in (equal, by_quantiles):
            histogram.num_nan = partial.num_nan
            statistics.histograms.append(histogram)
