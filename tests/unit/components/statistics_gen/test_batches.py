"""Statistics of batches beside those that TFDV's own pipeline makes of the same batches."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pytest
import tensorflow_data_validation as tfdv
from tensorflow_metadata.proto.v0 import schema_pb2
from tfx_bsl.public.proto.slicing_spec_pb2 import SlicingConfig, SlicingSpec

from components.statistics_gen.batches import GenerateStatistics, beyond
from runners.inline import InlineRunner
from tests.unit.components.statistics_gen.comparing import assert_same

BYTES, INT, FLOAT = (pa.large_list(kind) for kind in (pa.large_binary(), pa.int64(), pa.float32()))
_WITH_LABEL = schema_pb2.Schema(feature=[schema_pb2.Feature(name="tips", type=schema_pb2.INT)])
_WITH_LABEL.feature[0].int_domain.is_categorical = True
Draw = Callable[[np.random.Generator], Any]

COLUMNS: dict[str, tuple[Any, Draw]] = {
    "text": (BYTES, lambda draw: [b"%d" % draw.integers(4)]),
    "many texts": (BYTES, lambda draw: [b"%d" % draw.integers(5000)]),
    "no utf-8": (BYTES, lambda draw: [bytes(draw.integers(0, 256, 2).tolist())]),
    "lists": (BYTES, lambda draw: [b"ab"[: number % 3] for number in range(draw.integers(4))]),
    "empty lists": (BYTES, lambda draw: []),
    "nothing": (pa.null(), lambda draw: None),
    "int": (INT, lambda draw: [int(draw.integers(-(2**62), 2**62))]),
    "one int": (INT, lambda draw: [3]),
    "category": (INT, lambda draw: [int(draw.integers(30))]),
    "sometimes": (INT, lambda draw: [int(draw.integers(3))] if draw.random() < 0.3 else None),
    "float": (FLOAT, lambda draw: [float(draw.normal())]),
    "vector": (FLOAT, lambda draw: draw.normal(size=3).tolist()),
    "no number": (FLOAT, lambda draw: [float(draw.choice([np.nan, np.inf, -np.inf, 0, -0.0, 1.5]))]),
    "only nan": (FLOAT, lambda draw: [float("nan")]),
}


def batch(draw: np.random.Generator, rows: int, names: Sequence[str]) -> pa.RecordBatch:
    arrays = [pa.array([COLUMNS[name][1](draw) for _ in range(rows)], COLUMNS[name][0]) for name in names]
    return pa.RecordBatch.from_arrays(arrays, names=list(names))


def made(transform: beam.PTransform, batches: Sequence[pa.RecordBatch]) -> list[Any]:
    found: list[Any] = []
    with beam.Pipeline(runner=InlineRunner(), argv=[]) as pipeline:
        given = pipeline | beam.Create(batches).with_output_types(pa.RecordBatch)
        _ = given | transform | beam.Map(found.append)
    return found


def assert_as_tfdv(batches: Sequence[pa.RecordBatch], options: tfdv.StatsOptions | None = None) -> None:
    chosen = options or tfdv.StatsOptions()
    assert not beyond(chosen)
    (ours,) = made(GenerateStatistics(chosen), batches)
    (theirs,) = made(tfdv.GenerateStatistics(chosen), batches)
    assert_same(ours, theirs)


def test_rows_are_counted() -> None:
    columns = {"fare": pa.array([[2.0], [4.0], []], FLOAT)}
    (found,) = made(GenerateStatistics(tfdv.StatsOptions()), [pa.RecordBatch.from_pydict(columns)] * 2)
    (feature,) = found.datasets[0].features
    assert found.datasets[0].num_examples == 6
    assert (feature.num_stats.mean, feature.num_stats.min, feature.num_stats.max) == (3, 2, 4)


def test_no_batch_gives_nothing() -> None:
    assert made(GenerateStatistics(tfdv.StatsOptions()), []) == []


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # TFDV computes means of infinities
@pytest.mark.parametrize("seed", range(3))
def test_awkward_columns_as_tfdv(seed: int) -> None:
    draw = np.random.default_rng(seed)
    everything = list(COLUMNS)
    # A batch may lack columns, and one that is all missing in a batch has no type there.
    some = [name for name in everything if draw.random() < 0.6]
    batches = [
        batch(draw, 1100, everything),
        pa.RecordBatch.from_arrays([pa.nulls(5) for _ in some], names=some),
        batch(draw, 3, some),
        batch(draw, 0, everything),
        batch(draw, 2500, everything[::-1]),
    ]
    assert_as_tfdv(batches)


@pytest.mark.slow
def test_all_different_values_as_tfdv() -> None:
    texts = [[b"%05d" % number] for number in range(20_000)]
    whole = pa.RecordBatch.from_arrays([pa.array([*texts, *texts[:700]], BYTES)], names=["id"])
    assert_as_tfdv([whole.slice(start, 3000) for start in range(0, whole.num_rows, 3000)])


@pytest.mark.slow
def test_a_schema_and_numbers_of_buckets_as_tfdv() -> None:
    schema = schema_pb2.Schema()
    schema.feature.add(name="category", type=schema_pb2.INT).int_domain.is_categorical = True
    schema.feature.add(name="no utf-8", type=schema_pb2.BYTES).image_domain.SetInParent()
    schema.feature.add(name="text", type=schema_pb2.BYTES).natural_language_domain.SetInParent()
    options = tfdv.StatsOptions(
        schema=schema,
        num_top_values=3,
        frequency_threshold=40,
        num_rank_histogram_buckets=7,
        num_histogram_buckets=4,
        num_quantiles_histogram_buckets=5,
        num_values_histogram_buckets=3,
        epsilon=0.05,
    )
    draw = np.random.default_rng(9)
    names = ["category", "no utf-8", "text", "float", "lists"]
    assert_as_tfdv([batch(draw, 1000, names), batch(draw, 700, names)], options)


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"weight_feature": "fare"}, "weight_feature"),
        ({"sample_rate": 0.5}, "sample_rate"),
        ({"feature_allowlist": ["fare"]}, "feature_allowlist"),
        ({"slicing_config": SlicingConfig(slicing_specs=[SlicingSpec(feature_keys=["fare"])])}, "slicing_config"),
        ({"experimental_result_partitions": 2}, "experimental_result_partitions"),
        ({"label_feature": "tips", "schema": _WITH_LABEL}, "LiftStatsGenerator"),
    ],
)
def test_what_is_left_to_tfdv(options: dict[str, Any], name: str) -> None:
    assert beyond(tfdv.StatsOptions(**options)) == [name]
