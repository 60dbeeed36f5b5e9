"""Artifacts read back: what a test wants to know of an output, whether of a fixture's run or of any other one.

An artifact is a TFX artifact, or anything else with a `uri`, such as what `runners.local.run_local` gives.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Protocol

import tensorflow as tf
import tensorflow_transform as tft
from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import anomalies_pb2, schema_pb2, statistics_pb2
from tfx.types.value_artifact import ValueArtifact

from components.evaluator.metrics_table import FILE_NAME as METRICS_FILE
from pipeline_testing import examples as tf_examples
from schemas.errors import RunError
from serving.blessing import FILE_NAME as BLESSING_FILE
from serving.blessing import Blessing

STATISTICS_FILE = "FeatureStats.pb"
ANOMALIES_FILE = "SchemaDiff.pb"
SERVING_FOLDER = "Format-Serving"


class HasUri(Protocol):
    """An artifact, as far as reading it goes."""

    uri: str


def splits(artifact: HasUri) -> list[str]:
    """Names of the splits that an artifact has, in name order."""
    return sorted(path.name.removeprefix("Split-") for path in Path(artifact.uri).glob("Split-*"))


def records(artifact: HasUri, split: str = "train") -> list[bytes]:
    """The serialized tf.Examples of a split of Examples."""
    return list(tf_examples.records(_split(artifact, split)))


def examples(artifact: HasUri, split: str = "train") -> list[dict[str, Any]]:
    """The rows of Examples, raw or transformed; `pipeline_testing.examples.decode` says how values look."""
    return [tf_examples.decode(record) for record in records(artifact, split)]


def statistics(artifact: HasUri, split: str = "train") -> statistics_pb2.DatasetFeatureStatistics:
    """The statistics of all rows of a split of ExampleStatistics."""
    content = (_split(artifact, split) / STATISTICS_FILE).read_bytes()
    return statistics_pb2.DatasetFeatureStatisticsList.FromString(content).datasets[0]


def schema(artifact: HasUri) -> schema_pb2.Schema:
    """The schema of a Schema artifact."""
    (file,) = Path(artifact.uri).glob("*.pbtxt")
    return text_format.Parse(file.read_text(encoding="utf-8"), schema_pb2.Schema())


def anomalies(artifact: HasUri, split: str = "train") -> dict[str, list[str]]:
    """The anomalies of a split of ExampleAnomalies: for each feature TFDV's types, as `validation.allow` takes them."""
    found = anomalies_pb2.Anomalies.FromString((_split(artifact, split) / ANOMALIES_FILE).read_bytes())
    kinds = {
        name: [anomalies_pb2.AnomalyInfo.Type.Name(reason.type) for reason in info.reason]
        for name, info in sorted(found.anomaly_info.items())
    }
    if found.HasField("dataset_anomaly_info"):
        kinds[""] = [anomalies_pb2.AnomalyInfo.Type.Name(reason.type) for reason in found.dataset_anomaly_info.reason]
    return kinds


def transform_graph(artifact: HasUri) -> tft.TFTransformOutput:
    """What Transform learned: vocabularies, the transformed schema, the function as a layer."""
    return tft.TFTransformOutput(artifact.uri)


def saved_model(artifact: HasUri) -> Any:
    """The loaded SavedModel of a Model artifact; `.signatures["predict"]` answers requests."""
    return tf.saved_model.load(str(Path(artifact.uri) / SERVING_FOLDER))


def metrics(evaluation: HasUri) -> dict[str, dict[str, Any]]:
    """The metrics of a ModelEvaluation of our Evaluator, by slice and name: `{"Overall": {"auc": 0.9}}`."""
    found: dict[str, dict[str, Any]] = json.loads((Path(evaluation.uri) / METRICS_FILE).read_text())
    return found


def blessing(evaluation: HasUri) -> Blessing:
    """The verdict in a ModelEvaluation of our Evaluator, with its reasons."""
    return Blessing.load(Path(evaluation.uri) / BLESSING_FILE)


def value(artifact: ValueArtifact) -> Any:
    """The value of an Integer, Float, String, Boolean, Bytes or JsonValue artifact."""
    return artifact.read()


def _split(artifact: HasUri, split: str) -> Path:
    folder = Path(artifact.uri) / f"Split-{split}"
    if not folder.is_dir():
        raise RunError(
            "The artifact has no such split.",
            where=artifact.uri,
            received=split,
            fix=f"Splits: {', '.join(splits(artifact)) or 'none'}.",
        )
    return folder
