"""Counts of values, by hand. `test_batches` compares with TFDV's own."""

from __future__ import annotations

import pickle

import pyarrow as pa
import pytest
from tensorflow_data_validation.statistics.stats_options import StatsOptions
from tensorflow_metadata.proto.v0 import schema_pb2, statistics_pb2

from components.statistics_gen import value_counts
from components.statistics_gen.value_counts import ValueCounts


def batch(*texts: list[bytes] | None) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays([pa.array(texts, pa.large_list(pa.large_binary()))], names=["company"])


def counted(counts: ValueCounts, *batches: pa.RecordBatch) -> statistics_pb2.StringStatistics:
    """Statistics of batches that were added to accumulators of their own."""
    added = [counts.compact(counts.add_input(counts.create_accumulator(), one)) for one in batches]
    merged = counts.merge_accumulators(pickle.loads(pickle.dumps(added)))
    (feature,) = counts.extract_output(merged).features
    return feature.string_stats


def tops(statistics: statistics_pb2.StringStatistics) -> list[tuple[str, float]]:
    return [(top.value, top.frequency) for top in statistics.top_values]


def test_the_most_frequent_values_come_first_and_of_equals_the_greater() -> None:
    found = counted(
        ValueCounts(StatsOptions(num_top_values=3)), batch([b"b"], [b"a", b"c"], None, []), batch([b"b"], [b"d"])
    )
    assert tops(found) == [("b", 2), ("d", 1), ("c", 1)]
    assert found.unique == 4
    assert [bucket.label for bucket in found.rank_histogram.buckets] == ["b", "d", "c", "a"]


def test_what_is_no_text_is_counted_under_a_common_name() -> None:
    assert tops(counted(ValueCounts(StatsOptions()), batch([b"\xff"], [b"\xff"], [b"\xfe"]))) == [
        ("__BYTES_VALUE__", 2),
        ("__BYTES_VALUE__", 1),
    ]


def test_rare_values_are_left_out_of_the_most_frequent() -> None:
    assert tops(counted(ValueCounts(StatsOptions(frequency_threshold=2)), batch([b"a"], [b"a"], [b"b"]))) == [("a", 2)]


def test_counts_are_added_up_on_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(value_counts, "_WAITING", 3)
    counts = ValueCounts(StatsOptions())
    accumulator = counts.create_accumulator()
    for number in range(50):
        accumulator = counts.add_input(accumulator, batch([b"a", b"b"], [b"%d" % (number % 5)]))
    (kept,) = accumulator.values()
    assert sum(table.num_rows for table in kept.waiting) <= 7 + 3
    (feature,) = counts.extract_output(accumulator).features
    assert tops(feature.string_stats)[:3] == [("b", 50), ("a", 50), ("4", 10)]
    assert feature.string_stats.unique == 7


def test_a_schema_says_what_is_text() -> None:
    schema = schema_pb2.Schema()
    schema.feature.add(name="picture", type=schema_pb2.BYTES).image_domain.SetInParent()
    schema.feature.add(name="area", type=schema_pb2.INT).int_domain.is_categorical = True
    columns = {
        "picture": pa.array([[b"x"]], pa.large_list(pa.large_binary())),
        "area": pa.array([[7]], pa.large_list(pa.int64())),
        "fare": pa.array([[1.5]], pa.large_list(pa.float32())),
    }
    counts = ValueCounts(StatsOptions(schema=schema))
    found = counts.add_input(counts.create_accumulator(), pa.RecordBatch.from_pydict(columns))
    (feature,) = counts.extract_output(found).features
    assert list(feature.path.step) == ["area"]
    assert tops(feature.string_stats) == [("7", 1)]
