"""A CSV whose columns are named as people name them, from raw data to the answers of the released model."""

from __future__ import annotations

import csv
import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from schemas.request import request_key

SETTINGS = """\
name: trips
output_dir: OUTPUT
data: {path: OUTPUT/../data.csv}
features:
  Trip Miles: {kind: numeric, log: true}
  fare ($): {kind: numeric, missing_indicator: true}
  größe: {kind: categorical}
  "a/b": {kind: text, length: 4, column: a.b, weights: tf_idf}
  self: {kind: categorical}
  .buckets: {kind: bucketized, column: fare ($), buckets: 4}
  "größe × self": {kind: cross, of: [größe, self], buckets: 16}
label: {kind: binary, expression: "`Trip Tips` > 0.2 * `fare ($)` and `self` != 'nobody'"}
training: {epochs: 8, batch_size: 64, optimizer: {learning_rate: 0.02}}
evaluation: {thresholds: {auc: {lower: 0.6}}, slices: [[größe], [self]]}
smoke_check: {enabled: false}
"""
COLUMNS = ("Trip Miles", "fare ($)", "größe", "self", "a.b", "Trip Tips")
INPUTS = {"Trip_Miles", "fare____", "gr_xf6_xdfe", "self_", "a.b"}


@pytest.fixture(scope="module")
def rows() -> list[dict[str, Any]]:
    numbers = random.Random(1)
    rows = []
    for number in range(300):
        size = numbers.choice(["groß", "klein"])
        fare = round(numbers.uniform(3, 20), 2)
        tips = round(fare * (0.3 if size == "groß" else 0.1), 2)
        miles = "" if number % 9 == 0 else round(numbers.uniform(0, 9), 1)
        texts = (size, numbers.choice(["ich", "du"]), numbers.choice(["hin", "her"]))
        rows.append(dict(zip(COLUMNS, (miles, fare, *texts, tips), strict=True)))
    return rows


@pytest.fixture(scope="module")
def release(run_all: Any, rows: list[dict[str, Any]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trips")
    with (folder / "data.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    (folder / "settings.yaml").write_text(SETTINGS.replace("OUTPUT", str(folder / "output")), encoding="utf-8")
    ended = run_all({"run": ["run", "-c", str(folder / "settings.yaml")]})["run"]
    assert ended.code == 0, ended.stdout + ended.stderr
    return folder / "output/releases/trips/1"


@pytest.fixture(scope="module")
def signatures(release: Path) -> Any:
    return tf.saved_model.load(str(release)).signatures


def request(rows: list[dict[str, Any]]) -> dict[str, tf.Tensor]:
    numbers = {
        column: tf.constant([float("nan") if row[column] == "" else row[column] for row in rows], tf.float32)
        for column in COLUMNS[:2]
    }
    texts = {column: tf.constant([row[column] for row in rows]) for column in COLUMNS[2:5]}
    return {request_key(column): values for column, values in (numbers | texts).items()}


def example(row: dict[str, Any]) -> bytes:
    features = {}
    for column in COLUMNS[:5]:
        feature = features[column] = tf.train.Feature()
        if isinstance(row[column], float):
            feature.float_list.value.append(row[column])
        elif row[column]:
            feature.bytes_list.value.append(row[column].encode())
    serialized: bytes = tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString()
    return serialized


def test_clients_see_request_keys(release: Path) -> None:
    saved = saved_model_pb2.SavedModel.FromString((release / "saved_model.pb").read_bytes())
    assert set(saved.meta_graphs[0].signature_def["predict"].inputs) == INPUTS


def test_predict_takes_request_keys(signatures: Any, rows: list[dict[str, Any]]) -> None:
    assert set(request(rows)) == INPUTS
    predictions = signatures["predict"](**request(rows))["predictions"].numpy().ravel()
    big = np.array([row["größe"] == "groß" for row in rows])
    assert predictions[big].mean() > predictions[~big].mean() + 0.2


def test_serving_default_takes_raw_names(signatures: Any, rows: list[dict[str, Any]]) -> None:
    examples = tf.constant([example(row) for row in rows])
    served = signatures["serving_default"](examples=examples)["predictions"].numpy()
    np.testing.assert_array_equal(served, signatures["predict"](**request(rows))["predictions"].numpy())


def test_transformed_features_keep_the_raw_names(signatures: Any, rows: list[dict[str, Any]]) -> None:
    found = signatures["transform_features"](examples=tf.constant([example(rows[0])]))
    assert {"Trip Miles_xf", "fare ($)_xf", "größe_xf", "self_xf", "a/b_xf", ".buckets_xf", "größe × self_xf"} < set(
        found
    )


def test_metrics_are_sliced_by_raw_names(release: Path) -> None:
    [metrics] = release.parents[2].glob("artifacts/Evaluator/evaluation/*/metrics.json")
    found = json.loads(metrics.read_text())
    assert {"Overall", "größe:groß", "größe:klein", "self:ich", "self:du"} <= set(found)


def test_vocabularies_have_files_of_their_own(release: Path) -> None:
    assets = [path.read_text(encoding="utf-8").split() for path in (release / "assets").iterdir()]
    assert sorted(sorted(lines) for lines in assets) == [["du", "ich"], ["groß", "klein"], ["her", "hin"]]
