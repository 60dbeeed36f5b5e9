"""Statistics of whole batches: TFDV's, in a Beam pipeline of few steps.

TFDV's own pipeline has some 70 steps for a split, which take longer to build than a small split takes to go through.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import apache_beam as beam
import pyarrow as pa
from tensorflow_data_validation.statistics import stats_impl
from tensorflow_data_validation.statistics.generators.basic_stats_generator import BasicStatsGenerator
from tensorflow_data_validation.statistics.generators.stats_generator import CombinerStatsGenerator
from tensorflow_data_validation.statistics.generators.top_k_uniques_stats_generator import TopKUniquesStatsGenerator
from tensorflow_data_validation.statistics.stats_options import StatsOptions
from tensorflow_metadata.proto.v0 import statistics_pb2

from components.statistics_gen.basic_statistics import BasicStatistics
from components.statistics_gen.value_counts import ValueCounts

_UNDERSTOOD = frozenset(
    {
        *("_schema", "epsilon", "_desired_batch_size", "infer_type_from_schema", "_add_default_generators"),
        *("num_top_values", "frequency_threshold", "weighted_frequency_threshold", "num_rank_histogram_buckets"),
        *("_num_values_histogram_buckets", "_num_histogram_buckets", "_num_quantiles_histogram_buckets"),
        *("enable_semantic_domain_stats", "_vocab_paths", "_use_sketch_based_topk_uniques", "label_feature"),
    }
)
"""Attributes of StatsOptions that mean the same here; all others have to be what they are by default."""


def beyond(options: StatsOptions) -> list[str]:
    """What of these options `GenerateStatistics` of this module cannot do, by name."""
    usual = vars(StatsOptions())
    names = [
        name.removeprefix("_")
        for name, value in vars(options).items()
        if name not in _UNDERSTOOD and value != usual.get(name)
    ]
    if names:
        return names
    return [one.name for one in _generators(options) if not isinstance(one, CombinerStatsGenerator)]


def _generators(options: StatsOptions) -> list[Any]:
    """TFDV's generators, ours in the places of two."""
    ours = {BasicStatsGenerator: BasicStatistics, TopKUniquesStatsGenerator: ValueCounts}
    return [ours[type(one)](options) if type(one) in ours else one for one in stats_impl.get_generators(options)]


class GenerateStatistics(beam.PTransform):
    """Record batches to one `DatasetFeatureStatisticsList`; to none where there is no batch.

    Args:
        options: of which nothing is `beyond` this.
    """

    def __init__(self, options: StatsOptions) -> None:
        super().__init__()
        self._options = options

    def expand(self, batches: beam.PCollection) -> beam.PCollection:
        """What `tfdv.GenerateStatistics` gives."""
        # A default for no rows would be six steps more.
        return batches | beam.CombineGlobally(_Combine(_generators(self._options))).without_defaults()


@beam.typehints.with_input_types(pa.RecordBatch)
@beam.typehints.with_output_types(statistics_pb2.DatasetFeatureStatisticsList)
class _Combine(beam.CombineFn):
    """Every generator with an accumulator of its own."""

    def __init__(self, generators: list[Any]) -> None:
        self._generators = generators

    def setup(self) -> None:
        for generator in self._generators:
            generator.setup()

    def create_accumulator(self) -> list[Any]:
        return [generator.create_accumulator() for generator in self._generators]

    def add_input(self, accumulator: list[Any], element: pa.RecordBatch) -> list[Any]:
        return [
            generator.add_input(part, element) for generator, part in zip(self._generators, accumulator, strict=True)
        ]

    def merge_accumulators(self, accumulators: Iterable[list[Any]]) -> list[Any]:
        return [
            generator.merge_accumulators(parts)
            for generator, parts in zip(self._generators, zip(*accumulators, strict=True), strict=True)
        ]

    def compact(self, accumulator: list[Any]) -> list[Any]:
        return [generator.compact(part) for generator, part in zip(self._generators, accumulator, strict=True)]

    def extract_output(self, accumulator: list[Any]) -> statistics_pb2.DatasetFeatureStatisticsList:
        return stats_impl.extract_statistics_output(accumulator, self._generators)
