"""Feature tables analyzed on in-memory rows as Transform does it, and read in three ways that must agree."""

from __future__ import annotations

import functools
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pytest
import tensorflow as tf
import tensorflow_transform as tft
import tensorflow_transform.beam as tft_beam
from tensorflow_transform.beam import analyzer_cache
from tensorflow_transform.tf_metadata.dataset_metadata import DatasetMetadata
from tfx_bsl.tfxio import tensor_adapter, tensor_representation_util

from runners.inline import InlineRunner
from schemas.features import FeatureTable
from schemas.transformed import ModelInput, model_inputs
from transforms.preprocessing import preprocessing_fn

RUNNER = InlineRunner()  # many analyses: the direct runner takes most of its time for serialising
TENSORS = {"float": tf.float32, "int": tf.int64, "string": tf.string}
ARROW = {"float": pa.float32(), "int": pa.int64(), "string": pa.binary()}

Rows = Sequence[Mapping[str, Any]]
Arrays = dict[str, np.ndarray]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What is asked of one analysis of all kinds of features is slow: Beam, tf.data and a SavedModel take turns."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents and "kinds" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.slow)


class Analysis:
    """A feature table analyzed on some rows; a column that a row does not name is missing there."""

    def __init__(self, table: FeatureTable, rows: Rows, batch: int = 4) -> None:
        self.table = table
        self.rows = rows
        self.raw_spec = raw_spec(table)
        config = adapter_config(table)
        function = preprocessing(table)
        folder = tempfile.mkdtemp()
        parts = [to_bytes(record_batch(table, rows[at : at + batch])) for at in range(0, len(rows), batch)]
        with beam.Pipeline(runner=RUNNER) as pipeline, tft_beam.Context(temp_dir=tempfile.mkdtemp()):
            data = pipeline | beam.Create(parts, reshuffle=False) | beam.Map(from_bytes)
            (transformed, metadata), transform_fn = (data, config) | tft_beam.AnalyzeAndTransformDataset(function)
            transform_fn | tft_beam.WriteTransformFn(folder)
            encode = tft.coders.ExampleProtoCoder(metadata.schema).encode
            transformed | beam.Map(encode) | beam.io.WriteToTFRecord(f"{folder}/rows", shard_name_template="")
        self.output = tft.TFTransformOutput(folder)
        self._folder = folder

    def of(self, key: str) -> list[Any]:
        """What became of a feature, a row at a time; Beam, tf.data and the exported SavedModel give the same."""
        by_model = self.by_saved_model[key]
        np.testing.assert_array_equal(self.by_beam[key], by_model)
        np.testing.assert_array_equal(self.by_tf_data[key], by_model)
        return by_model.tolist()

    def input(self, key: str) -> ModelInput:
        """The model's input for a feature."""
        return next(i for i in model_inputs(self.output.transformed_metadata.schema) if i.key == key)

    @functools.cached_property
    def by_beam(self) -> Arrays:
        data = tf.data.TFRecordDataset(f"{self._folder}/rows").batch(len(self.rows))
        return numpy(tf.io.parse_example(next(iter(data)), self.output.transformed_feature_spec()))

    @functools.cached_property
    def by_saved_model(self) -> Arrays:
        return self.serve(self.rows)

    @functools.cached_property
    def by_tf_data(self) -> Arrays:
        layer = self.layer
        data = tf.data.Dataset.from_tensor_slices(self.serialized(self.rows)).batch(2)
        parse = tf.autograph.experimental.do_not_convert(lambda e: layer(tf.io.parse_example(e, self.raw_spec)))
        data = data.map(parse)
        parts = list(data.as_numpy_iterator())
        return {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}

    @functools.cached_property
    def layer(self) -> Any:
        return self.output.transform_features_layer()

    def serve(self, rows: Rows, only: Sequence[str] | None = None) -> Arrays:
        """As serving does: parsed tf.Examples go through the exported graph; only the named columns are given."""
        names = self.table.columns if only is None else only
        spec = {name: self.raw_spec[name] for name in names}
        return numpy(self.layer(tf.io.parse_example(self.serialized(rows), spec)))

    def serialized(self, rows: Rows) -> list[bytes]:
        return [example(row, self.table.columns) for row in rows]


def preprocessing(table: FeatureTable) -> Callable[..., Any]:
    return functools.partial(preprocessing_fn, custom_config={"features": table.model_dump(mode="json")})


def raw_spec(table: FeatureTable) -> dict[str, Any]:
    return {name: tf.io.VarLenFeature(TENSORS[dtype]) for name, dtype in table.columns.items()}


def adapter_config(table: FeatureTable) -> tensor_adapter.TensorAdapterConfig:
    schema = DatasetMetadata.from_feature_spec(raw_spec(table)).schema
    representations = tensor_representation_util.InferTensorRepresentationsFromMixedSchema(schema)
    return tensor_adapter.TensorAdapterConfig(arrow_schema(table), representations)


def numpy(tensors: Mapping[str, tf.Tensor]) -> Arrays:
    return {key: tensor.numpy() for key, tensor in tensors.items()}


def arrow_schema(table: FeatureTable) -> pa.Schema:
    return pa.schema([(name, pa.list_(ARROW[dtype])) for name, dtype in table.columns.items()])


def record_batch(table: FeatureTable, rows: Rows) -> pa.RecordBatch:
    schema = arrow_schema(table)
    arrays = [pa.array([[row[f.name]] if f.name in row else [] for row in rows], f.type) for f in schema]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def to_bytes(batch: pa.RecordBatch) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    return sink.getvalue().to_pybytes()


def from_bytes(data: bytes) -> pa.RecordBatch:
    return next(iter(pa.ipc.open_stream(data)))


def example(row: Mapping[str, Any], columns: Mapping[str, str]) -> bytes:
    made = tf.train.Example()
    for name, dtype in columns.items():
        feature = made.features.feature[name]
        if name not in row:
            continue
        if dtype == "float":
            feature.float_list.value.append(row[name])
        elif dtype == "int":
            feature.int64_list.value.append(row[name])
        else:
            feature.bytes_list.value.append(row[name].encode() if isinstance(row[name], str) else row[name])
    return made.SerializeToString()


def png(value: int) -> bytes:
    return tf.io.encode_png(np.full((4, 6, 3), value, np.uint8)).numpy()


NAN, INF = float("nan"), float("inf")

FEATURES: dict[str, dict[str, Any]] = {
    "z": {"kind": "numeric", "column": "amount"},
    "min_max": {"kind": "numeric", "column": "amount", "scale": "min_max", "missing_indicator": True},
    "log": {"kind": "numeric", "column": "amount", "scale": "none", "log": True},
    "filled": {"kind": "numeric", "column": "amount", "scale": "none", "log": True, "fill": 0.0},
    "constant": {"kind": "numeric"},
    "constant_min_max": {"kind": "numeric", "column": "constant", "scale": "min_max"},
    "absent": {"kind": "numeric"},
    "whole": {"kind": "numeric", "dtype": "int", "scale": "min_max"},
    "halves": {"kind": "bucketized", "column": "amount", "buckets": 2},
    "bounds": {"kind": "bucketized", "column": "amount", "boundaries": [2.0, 3.0]},
    "constant_buckets": {"kind": "bucketized", "column": "constant", "buckets": 4},
    "absent_buckets": {"kind": "bucketized", "column": "absent", "buckets": 3},
    "pay": {"kind": "categorical"},
    "pay_top": {"kind": "categorical", "column": "pay", "top_k": 1, "oov_buckets": 2},
    "pay_often": {"kind": "categorical", "column": "pay", "min_frequency": 2},
    "account": {"kind": "categorical", "dtype": "int"},
    "never": {"kind": "categorical"},
    "never_int": {"kind": "categorical", "dtype": "int"},
    "pay_hash": {"kind": "hashed", "column": "pay", "buckets": 10},
    "account_hash": {"kind": "hashed", "dtype": "int", "column": "account", "buckets": 10},
    "hour": {"kind": "integer", "size": 24},
    "hour_pay": {"kind": "cross", "of": ["hour", "pay"], "buckets": 1000},
    "at": {"kind": "timestamp"},
    "written_at": {"kind": "timestamp", "dtype": "string", "cycles": ["day_of_month", "hour_of_day"]},
    "review": {"kind": "text", "length": 4},
    "review_pairs": {"kind": "text", "column": "review", "length": 5, "ngrams": [1, 2], "top_k": 2, "oov_buckets": 2},
    "review_weighed": {"kind": "text", "column": "review", "length": 3, "top_k": 3, "weights": "tf_idf"},
    "photo": {"kind": "image", "height": 2, "width": 3},
    "photo_grey": {"kind": "image", "column": "photo", "height": 1, "width": 1, "channels": 1, "scale": "symmetric"},
    "score": {"kind": "passthrough", "fill": 7.0},
}
ROWS: list[dict[str, Any]] = [
    {
        "amount": 1.0, "constant": 5.0, "whole": 10, "pay": "Cash", "account": 2**62 + 1, "hour": 0, "at": 0,
        "written_at": "2022-05-16", "review": "I like pie, pie, PIE!", "photo": png(255), "score": 1.5,
        "tips": 3.0, "fare": 10.0, "w": 2.0,
    },
    {
        "amount": 2.0, "constant": 5.0, "whole": 20, "pay": "Cash", "account": 2**62 + 1, "hour": 23, "at": -86_400,
        "written_at": "2022-05-31T12:00:00Z", "review": "yum yum pie", "photo": png(0), "score": NAN,
        "tips": 2.0, "fare": 10.0, "w": 0.5,
    },
    {
        "amount": 3.0, "constant": 5.0, "whole": 40, "pay": "Card", "account": 2**62, "hour": 24,
        "at": 951_782_400 + 21_600, "written_at": "yesterday", "review": "", "photo": b"no picture", "score": INF,
        "tips": 2.0, "fare": NAN, "w": 1.0,
    },
    {
        "amount": INF, "pay": "", "hour": -1, "review": "?!", "photo": png(9)[:40], "score": -2.0,
        "tips": 0.0, "fare": 0.0,
    },
    {"amount": NAN, "constant": NAN},
    {},
]  # fmt: skip
LABEL = {"kind": "binary", "expression": "tips > 0.2 * fare"}


@pytest.fixture(scope="session")
def kinds() -> Analysis:
    """One analysis for the tests of all kinds: FEATURES on ROWS."""
    return Analysis(FeatureTable.model_validate({"features": FEATURES, "label": LABEL, "weight": "w"}), ROWS)


@pytest.fixture(scope="session")
def analyze() -> Callable[..., Analysis]:
    """Analyzes a feature table of one's own: `analyze(table, rows)`."""
    return Analysis


@pytest.fixture
def analyze_spans(tmp_path: Path) -> Callable[..., tft.TFTransformOutput]:
    """Analyzes spans one after the other: a run reads the new span's rows and the old spans' accumulators.

    `analyze_spans(table, spans)` gives the transform of the last run.
    """

    def run(table: FeatureTable, spans: Sequence[Rows]) -> tft.TFTransformOutput:
        keys = [analyzer_cache.DatasetKey(f"span-{number}") for number in range(len(spans))]
        for number, rows in enumerate(spans):
            known = keys[: number + 1]
            with beam.Pipeline(runner=RUNNER) as pipeline, tft_beam.Context(temp_dir=tempfile.mkdtemp()):
                new = pipeline | beam.Create([to_bytes(record_batch(table, rows))]) | beam.Map(from_bytes)
                data = {**dict.fromkeys(known), keys[number]: new}
                cache = pipeline | analyzer_cache.ReadAnalysisCacheFromFS(str(tmp_path / "cache"), known)
                transform_fn, made = (data, cache, adapter_config(table)) | tft_beam.AnalyzeDatasetWithCache(
                    preprocessing(table)
                )
                made | analyzer_cache.WriteAnalysisCacheToFS(pipeline, str(tmp_path / "cache"))
                transform_fn | tft_beam.WriteTransformFn(str(tmp_path / f"run-{number}"))
        return tft.TFTransformOutput(str(tmp_path / f"run-{len(spans) - 1}"))

    return run
