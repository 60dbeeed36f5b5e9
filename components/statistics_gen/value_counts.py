"""How often each value of a feature occurs: TFDV's most frequent values and number of different ones, from batches.

TFDV makes a Beam element of each different value of each batch. Here a batch's counts stay in an Arrow table, and Arrow
adds tables up.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc
from tensorflow_data_validation.arrow import arrow_util
from tensorflow_data_validation.statistics.generators.stats_generator import CombinerStatsGenerator
from tensorflow_data_validation.statistics.stats_options import StatsOptions
from tensorflow_data_validation.types import FeaturePath
from tensorflow_data_validation.utils import schema_util, stats_util, top_k_uniques_stats_util
from tensorflow_metadata.proto.v0 import statistics_pb2
from tfx_bsl.arrow import array_util

_WAITING = 1 << 16
"""Counts that may wait to be added up, beyond as many as there are different values."""


@dataclass
class Counts:
    """Values of one feature and how often they occur. In `waiting` a value may stand several times."""

    added_up: pa.Table | None = None
    waiting: list[pa.Table] = field(default_factory=list)

    def add(self, table: pa.Table) -> None:
        """Adds counts: a table of `value` and `count`."""
        self.waiting.append(table)
        known = 0 if self.added_up is None else self.added_up.num_rows
        if sum(one.num_rows for one in self.waiting) > known + _WAITING:
            self.table()

    def table(self) -> pa.Table:
        """All counts, each value once."""
        if self.waiting or self.added_up is None:
            parts = [*self.waiting, *([] if self.added_up is None else [self.added_up])]
            summed = pa.concat_tables(parts).group_by("value").aggregate([("count", "sum")])
            self.added_up = summed.select(["value", "count_sum"]).rename_columns(["value", "count"])
            self.waiting = []
        return self.added_up


ByFeature = dict[FeaturePath, Counts]


class ValueCounts(CombinerStatsGenerator):
    """Exact, as TFDV's `TopKUniquesStatsGenerator`, and without weights.

    What is kept grows with the number of different values, not with the number of rows.

    Args:
        options: `num_top_values`, `num_rank_histogram_buckets` and `frequency_threshold`; a schema says which bytes are
            no text, and which whole numbers are categories.
    """

    def __init__(self, options: StatsOptions) -> None:
        super().__init__("TopKUniquesStatsGenerator", options.schema)
        self._top = options.num_top_values
        self._ranks = options.num_rank_histogram_buckets
        self._threshold = options.frequency_threshold
        self._no_text = set(schema_util.get_bytes_features(options.schema)) if options.schema else set()
        self._categories = schema_util.get_categorical_numeric_feature_types(options.schema) if options.schema else {}

    def create_accumulator(self) -> ByFeature:
        """Nothing counted."""
        return {}

    def add_input(self, accumulator: ByFeature, batch: pa.RecordBatch) -> ByFeature:
        """Counts the values of a batch."""
        leaves = arrow_util.enumerate_arrays(batch, example_weight_map=None, enumerate_leaves_only=True)
        for path, array, _ in leaves:
            if self._counts(path, stats_util.get_feature_type_from_arrow_type(path, array.type)):
                found = array_util.flatten_nested(array)[0].value_counts()
                if len(found):
                    table = pa.table([found.field("values"), found.field("counts")], ["value", "count"])
                    accumulator.setdefault(path, Counts()).add(table)
        return accumulator

    def merge_accumulators(self, accumulators: Iterable[ByFeature]) -> ByFeature:
        """The counts of all."""
        merged, *others = accumulators
        for other in others:
            for path, counts in other.items():
                merged.setdefault(path, Counts()).add(counts.table())
        return merged

    def compact(self, accumulator: ByFeature) -> ByFeature:
        """Every value once: this may be sent to another machine."""
        for counts in accumulator.values():
            counts.table()
        return accumulator

    def extract_output(self, accumulator: ByFeature) -> statistics_pb2.DatasetFeatureStatistics:
        """The most frequent values of each feature, and how many different ones it has."""
        return statistics_pb2.DatasetFeatureStatistics(
            features=[self._statistics(path, counts.table()) for path, counts in accumulator.items()]
        )

    def _counts(self, path: FeaturePath, kind: int | None) -> bool:
        if path in self._no_text:
            return False
        if kind == statistics_pb2.FeatureNameStatistics.STRING:
            return True
        # TFDV counts whole numbers only.
        return kind == statistics_pb2.FeatureNameStatistics.INT and bool(
            top_k_uniques_stats_util.output_categorical_numeric(self._categories, path, kind)
        )

    def _statistics(self, path: FeaturePath, counts: pa.Table) -> statistics_pb2.FeatureNameStatistics:
        # Of values that are equally frequent TFDV takes the greater ones.
        order = [("count", "descending"), ("value", "descending")]
        top = counts.take(pc.select_k_unstable(counts, max(self._top, self._ranks), order))
        return top_k_uniques_stats_util.make_feature_stats_proto_topk_uniques(
            feature_path=path,
            num_top_values=self._top,
            num_rank_histogram_buckets=self._ranks,
            num_unique=counts.num_rows,
            value_count_list=[
                top_k_uniques_stats_util.FeatureValueCount(value, count)
                for value, count in zip(*(column.to_pylist() for column in top.columns), strict=True)
            ],
            frequency_threshold=self._threshold,
        )
