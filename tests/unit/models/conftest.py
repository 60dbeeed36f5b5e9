"""A small table of trips, through a real transform graph, shared by the tests of models."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from models.columns import read_columns
from pipeline_testing.examples import encode
from schemas.features import FeatureTable

Row = Mapping[str, Any]

TABLE = FeatureTable.model_validate(
    {
        "features": {
            "fare": {"kind": "numeric", "log": True, "missing_indicator": True},
            "hour": {"kind": "integer", "size": 24},
            "company": {"kind": "categorical", "oov_buckets": 1},
            "fare_bucket": {"kind": "bucketized", "column": "fare", "boundaries": [5.0, 10.0]},
        },
        "label": {"kind": "binary", "expression": "tips > 1"},
    }
)
DTYPES = {"float": tf.float32, "int": tf.int64, "string": tf.string}


def example_of(row: Row) -> bytes:
    """A row as ExampleGen writes it."""
    return encode([row])[0]


def make_rows(count: int, seed: int) -> list[dict[str, Any]]:
    """Trips of which those of company `a` after noon get a tip; one feature value in eight is missing."""
    random = np.random.default_rng(seed)
    rows: list[dict[str, Any]] = []
    for _ in range(count):
        row = {
            "company": str(random.choice(["a", "b", "c"])),
            "fare": float(np.round(random.uniform(3, 20), 2)),
            "hour": int(random.integers(24)),
        }
        tips = 3.0 if row["company"] == "a" and row["hour"] > 12 else 0.0
        rows.append({**{key: None if random.random() < 0.125 else value for key, value in row.items()}, "tips": tips})
    return rows


@dataclass(frozen=True)
class Transformed:
    """What Transform gives, and what it was given."""

    folder: Path
    rows: list[dict[str, Any]]
    table: FeatureTable = TABLE

    @property
    def graph(self) -> str:
        return str(self.folder / "graph")

    @property
    def train(self) -> list[str]:
        return [str(self.folder / "train*")]

    @property
    def eval(self) -> list[str]:
        return [str(self.folder / "eval*")]

    @property
    def examples(self) -> list[bytes]:
        return [example_of(row) for row in self.rows]

    def spec(self) -> dict[str, tf.io.FixedLenFeature]:
        import tensorflow_transform as tft

        return dict(tft.TFTransformOutput(self.graph).transformed_feature_spec())

    def eval_columns(self) -> dict[str, np.ndarray]:
        return read_columns([str(next(self.folder.glob("eval*")))], self.spec())


@pytest.fixture(scope="session")
def transformed(tmp_path_factory: pytest.TempPathFactory) -> Transformed:
    """600 rows to train on and 100 to evaluate; `rows` are the latter."""
    import apache_beam as beam
    import tensorflow_transform as tft
    import tensorflow_transform.beam as tft_beam
    from apache_beam.options.pipeline_options import PipelineOptions
    from tensorflow_transform.tf_metadata import dataset_metadata
    from tfx_bsl.tfxio import tf_example_record

    from transforms.preprocessing import preprocessing_fn

    folder = tmp_path_factory.mktemp("transformed")
    spec = {name: tf.io.VarLenFeature(DTYPES[dtype]) for name, dtype in TABLE.columns.items()}
    schema = dataset_metadata.DatasetMetadata.from_feature_spec(spec).schema
    config = {"features": TABLE.model_dump(mode="json")}
    rows = {"train": make_rows(600, seed=1), "eval": make_rows(100, seed=2)}

    def source(pipeline: Any, split: str) -> Any:
        record = tf_example_record.TFExampleBeamRecord("memory", ["test"], schema=schema)
        examples = [example_of(row) for row in rows[split]]
        read = pipeline | f"{split} rows" >> beam.Create(examples) | f"{split} batches" >> record.BeamSource(1000)
        return read, record.TensorAdapterConfig()

    options = PipelineOptions(["--direct_running_mode=in_memory"])
    with (
        beam.Pipeline("DirectRunner", options=options) as pipeline,
        tft_beam.Context(temp_dir=str(folder / "temporary")),
    ):
        train = source(pipeline, "train")
        (train_rows, metadata), transform_fn = train | tft_beam.AnalyzeAndTransformDataset(
            lambda inputs: preprocessing_fn(inputs, config)
        )
        eval_rows, _ = (source(pipeline, "eval"), transform_fn) | tft_beam.TransformDataset()
        coder = tft.coders.ExampleProtoCoder(metadata.schema)
        for split, found in (("train", train_rows), ("eval", eval_rows)):
            (
                found
                | f"{split} encoded" >> beam.Map(coder.encode)
                | f"{split} written"
                >> beam.io.WriteToTFRecord(str(folder / split), file_name_suffix=".gz", num_shards=1)
            )
        _ = transform_fn | tft_beam.WriteTransformFn(str(folder / "graph"))
    return Transformed(folder, rows["eval"])
