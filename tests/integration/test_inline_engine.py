"""TFX's own executors give the same on the inline engine as on the direct one, to the last digit."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import apache_beam as beam
import pytest
import tensorflow as tf
import tensorflow_data_validation as tfdv
import tensorflow_model_analysis as tfma
from google.protobuf import json_format
from tensorflow_metadata.proto.v0 import statistics_pb2
from tfx.components.evaluator import executor as evaluator
from tfx.components.statistics_gen import executor as statistics_gen
from tfx.components.transform import executor as transform
from tfx.dsl.components.base.base_beam_executor import BaseBeamExecutor
from tfx.types import artifact_utils, standard_artifacts

from configs.engine import Engine
from runners.engines import beam_pipeline

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:::tensorflow_model_analysis")]
ROWS = 300

PREPROCESSING = """
import tensorflow as tf
import tensorflow_transform as tft


def preprocessing_fn(inputs):
    number = tf.reshape(tf.sparse.to_dense(inputs["number"]), [-1, 1])
    text = inputs["text"]
    return {
        "z_score": tft.scale_to_z_score(number),
        "unit": tft.scale_to_0_1(number),
        "bucket": tft.bucketize(number, 4),
        "by_key": tft.scale_to_z_score_per_key(number[:, 0], tf.reshape(tf.sparse.to_dense(text), [-1])),
        "id": tft.compute_and_apply_vocabulary(text, top_k=5, vocab_filename="text"),
        "label": tf.reshape(tf.sparse.to_dense(inputs["label"]), [-1]),
    }
"""


class Served(tf.Module):
    """A model of one line: the number, squashed."""

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="examples")])
    def serve(self, examples: tf.Tensor) -> dict[str, tf.Tensor]:
        parsed = tf.io.parse_example(examples, {"number": tf.io.FixedLenFeature([1], tf.float32, 0.0)})
        return {"outputs": tf.sigmoid(parsed["number"])}


def _example(draw: random.Random) -> tf.train.Example:
    number = draw.gauss(0, 1)
    features = {
        "number": tf.train.Feature(float_list=tf.train.FloatList(value=[number])),
        "text": tf.train.Feature(bytes_list=tf.train.BytesList(value=[draw.choice("aabbbcdefg").encode()])),
        "label": tf.train.Feature(int64_list=tf.train.Int64List(value=[int(number + draw.gauss(0, 1) > 0)])),
        "sparse": tf.train.Feature(),
    }
    if draw.random() < 0.5:
        features["sparse"].int64_list.value.extend(range(draw.randrange(4)))
    return tf.train.Example(features=tf.train.Features(feature=features))


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Any, Any]:
    """Examples in two splits and two shards each, their schema, and a model."""
    folder = tmp_path_factory.mktemp("data")
    draw = random.Random(7)
    for split in ("train", "eval"):
        (folder / f"Split-{split}").mkdir()
        for shard in range(2):
            path = folder / f"Split-{split}" / f"data-{shard:05d}-of-00002.gz"
            with tf.io.TFRecordWriter(str(path), "GZIP") as writer:
                for _ in range(ROWS // 2):
                    writer.write(_example(draw).SerializeToString())
    examples = standard_artifacts.Examples()
    examples.uri, examples.split_names = str(folder), artifact_utils.encode_split_names(["train", "eval"])
    statistics = tfdv.generate_statistics_from_tfrecord(str(folder / "Split-train" / "*"))
    schema = standard_artifacts.Schema()
    schema.uri = str(tmp_path_factory.mktemp("schema"))
    tfdv.write_schema_text(tfdv.infer_schema(statistics, infer_feature_shape=False), f"{schema.uri}/schema.pbtxt")
    model = standard_artifacts.Model()
    model.uri = str(tmp_path_factory.mktemp("model"))
    served = Served()
    tf.saved_model.save(served, f"{model.uri}/Format-Serving", signatures={"serving_default": served.serve})
    return examples, schema, model


def _on(kind: Any, executor: type[BaseBeamExecutor], folder: Path) -> BaseBeamExecutor:
    make: Callable[[], beam.Pipeline] = beam_pipeline(Engine(kind=kind))
    context = BaseBeamExecutor.Context(tmp_dir=str(folder / "tmp"), unique_id="1", make_beam_pipeline_fn=make)
    return executor(context)


def _output(kind: type[Any], folder: Path) -> Any:
    artifact = kind()
    folder.mkdir(parents=True)
    artifact.uri = str(folder)
    return artifact


def _canonical(path: Path) -> dict[Any, Any]:
    """Statistics by feature; what is listed by count is put into one order."""
    read = statistics_pb2.DatasetFeatureStatisticsList.FromString(path.read_bytes())
    found = {}
    for feature in read.datasets[0].features:
        fields = json_format.MessageToDict(feature)
        for name in ("topValues", "rankHistogram"):
            fields.get("stringStats", {}).pop(name, None)
        strings = feature.string_stats
        counts = sorted((bucket.label, bucket.sample_count) for bucket in strings.rank_histogram.buckets)
        tops = sorted((top.value, top.frequency) for top in strings.top_values)
        found[tuple(feature.path.step)] = fields, counts, tops
    return {"rows": read.datasets[0].num_examples, **found}


def test_statistics_gen(data: Any, tmp_path: Path) -> None:
    found = {}
    for kind in ("inline", "direct"):
        output = _output(standard_artifacts.ExampleStatistics, tmp_path / kind)
        _on(kind, statistics_gen.Executor, tmp_path).Do(
            {"examples": [data[0]]}, {"statistics": [output]}, {"exclude_splits": "[]"}
        )
        found[kind] = {
            split: _canonical(tmp_path / kind / f"Split-{split}/FeatureStats.pb") for split in ("train", "eval")
        }
    assert found["inline"]["train"]["rows"] == ROWS
    assert found["inline"] == found["direct"]


def test_transform(data: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "inline_preprocessing.py").write_text(PREPROCESSING)
    monkeypatch.syspath_prepend(str(tmp_path))
    found: dict[str, Any] = {}
    cache = None
    for run, kind in (("inline", "inline"), ("from cache", "inline"), ("direct", "direct")):
        folder = tmp_path / run
        outputs = {
            "transform_graph": [_output(standard_artifacts.TransformGraph, folder / "graph")],
            "transformed_examples": [_output(standard_artifacts.Examples, folder / "examples")],
            "updated_analyzer_cache": [_output(standard_artifacts.TransformCache, folder / "cache")],
        }
        inputs = {"examples": [data[0]], "schema": [data[1]]}
        if cache is not None and kind == "inline":
            inputs["analyzer_cache"] = [cache]
        cache = outputs["updated_analyzer_cache"][0]
        _on(kind, transform.Executor, folder).Do(
            inputs,
            outputs,
            {"preprocessing_fn": "inline_preprocessing.preprocessing_fn", "disable_statistics": 1},
        )
        files = sorted((folder / "examples").glob("Split-*/*"))
        assert {path.parent.name for path in files} == {"Split-train", "Split-eval"}
        found[run] = {
            "vocabulary": (folder / "graph/transform_fn/assets/text").read_text(),
            "rows": sorted(
                tf.train.Example.FromString(record.numpy()).SerializeToString(deterministic=True)
                for record in tf.data.TFRecordDataset([str(path) for path in files], "GZIP")
            ),
        }
    assert len(found["inline"]["rows"]) == 2 * ROWS
    assert found["inline"]["vocabulary"].splitlines()[0] == "b"
    assert found["inline"] == found["from cache"]
    assert found["inline"] == found["direct"]


def test_evaluator(data: Any, tmp_path: Path) -> None:
    config = tfma.EvalConfig(
        model_specs=[tfma.ModelSpec(label_key="label", signature_name="serving_default")],
        slicing_specs=[tfma.SlicingSpec(), tfma.SlicingSpec(feature_keys=["text"])],
        metrics_specs=[
            tfma.MetricsSpec(
                metrics=[
                    tfma.MetricConfig(
                        class_name="AUC",
                        threshold=tfma.MetricThreshold(
                            value_threshold=tfma.GenericValueThreshold(lower_bound={"value": 0.5})
                        ),
                    ),
                    *(
                        tfma.MetricConfig(class_name=name)
                        for name in ("ExampleCount", "BinaryAccuracy", "MeanLabel", "Calibration")
                    ),
                ]
            )
        ],
    )
    found = {}
    for kind in ("inline", "direct"):
        folder = tmp_path / kind
        outputs = {
            "evaluation": [_output(standard_artifacts.ModelEvaluation, folder / "evaluation")],
            "blessing": [_output(standard_artifacts.ModelBlessing, folder / "blessing")],
        }
        _on(kind, evaluator.Executor, folder).Do(
            {"examples": [data[0]], "model": [data[2]], "schema": [data[1]]},
            outputs,
            {
                "eval_config": json_format.MessageToJson(config),
                "example_splits": '["eval"]',
                "fairness_indicator_thresholds": "null",
            },
        )
        metrics = tfma.load_eval_result(str(folder / "evaluation")).slicing_metrics
        found[kind] = {
            slice_key: {name: list(value.values()) for name, value in values[""][""].items()}
            for slice_key, values in metrics
        }
        assert [path.name for path in (folder / "blessing").iterdir()] == ["BLESSED"]
    assert found["inline"][()]["example_count"] == [float(ROWS)]
    assert len(found["inline"]) == 8
    assert found["inline"] == found["direct"]
