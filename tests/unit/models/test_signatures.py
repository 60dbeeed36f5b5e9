from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_transform as tft

from configs.settings import Model
from models.architectures import build_model
from models.export import export_model
from models.head import Head
from models.network import Network, feature_keys
from models.signatures import ServingModule
from schemas.errors import TrainingError
from schemas.transformed import LABEL_KEY, PREDICTION_KEY, model_inputs
from tests.unit.models.conftest import TABLE, Transformed, example_of

pytestmark = pytest.mark.slow  # a whole Transform, and an export

MISSING = [
    {"fare": None, "hour": 3, "company": "a", "tips": 1.0},
    {"fare": 5.0, "hour": None, "company": "a", "tips": 1.0},
    {"fare": 5.0, "hour": 3, "company": None, "tips": 1.0},
    {"fare": None, "hour": None, "company": None, "tips": 1.0},
    {"fare": 5.0, "hour": 99, "company": "never seen", "tips": 1.0},
]


@dataclass
class Exported:
    """A model with random weights, before and after it was saved."""

    model: Network
    head: Head
    keys: tuple[str, ...]
    signatures: Mapping[str, Any]
    transform: tft.TFTransformOutput

    def trained(self, columns: Mapping[str, Any]) -> np.ndarray:
        """What the model gave in training for transformed rows."""
        return self.head.predictions(self.model({key: columns[key] for key in self.keys}, training=False)).numpy()

    def serving_default(self, rows: Sequence[Mapping[str, Any]]) -> np.ndarray:
        examples = tf.constant([example_of(row) for row in rows])
        return self.signatures["serving_default"](examples=examples)[PREDICTION_KEY].numpy()

    def predict(self, rows: Sequence[Mapping[str, Any]]) -> np.ndarray:
        request = {}
        for name, dtype in TABLE.inputs.items():
            values = [row[name] for row in rows]
            if dtype == "string":
                request[name] = tf.constant([value or "" for value in values], tf.string)
            else:
                numbers = [np.nan if value is None else value for value in values]
                request[name] = tf.constant(numbers, tf.float32 if dtype == "float" else tf.float64)
        return self.signatures["predict"](**request)[PREDICTION_KEY].numpy()


@pytest.fixture(scope="module")
def exported(transformed: Transformed, tmp_path_factory: pytest.TempPathFactory) -> Exported:
    transform = tft.TFTransformOutput(transformed.graph)
    inputs = model_inputs(transform.transformed_metadata.schema)
    tf.keras.utils.set_random_seed(1)
    head = Head.of(TABLE.label, np.array([0, 1]))
    model = build_model(inputs, Model(hidden_units=(8,)), head)
    # So that every feature matters.
    model.set_weights([np.random.default_rng(1).normal(0, 0.3, weight.shape) for weight in model.get_weights()])
    keys = feature_keys(inputs)
    path = str(tmp_path_factory.mktemp("exported"))
    export_model(ServingModule(model, head, transform.transform_savedmodel_dir, tuple(TABLE.inputs), keys), path)
    return Exported(model, head, keys, tf.saved_model.load(path).signatures, transform)


def test_serving_equals_training_on_what_transform_wrote(exported: Exported, transformed: Transformed) -> None:
    expected = exported.trained({key: tf.constant(value) for key, value in transformed.eval_columns().items()})
    assert np.ptp(expected) > 0.1
    # Beam writes rows in an order of its own.
    served = exported.serving_default(transformed.rows)
    np.testing.assert_allclose(np.sort(served.ravel()), np.sort(expected.ravel()), atol=1e-6)


def test_predict_equals_serving_default(exported: Exported, transformed: Transformed) -> None:
    served = exported.serving_default(transformed.rows)
    np.testing.assert_array_equal(exported.predict(transformed.rows), served)
    assert (served.dtype, served.shape) == (np.float32, (100, 1))


def test_missing_values_take_the_defaults_of_training(exported: Exported) -> None:
    spec = {
        name: tf.io.VarLenFeature({"float": tf.float32, "int": tf.int64}.get(dtype, tf.string))
        for name, dtype in TABLE.columns.items()
    }
    raw = tf.io.parse_example([example_of(row) for row in MISSING], spec)
    expected = exported.trained(exported.transform.transform_features_layer()(raw))
    np.testing.assert_allclose(exported.predict(MISSING), expected, atol=1e-6)
    np.testing.assert_allclose(exported.serving_default(MISSING), expected, atol=1e-6)


def test_serving_needs_no_label(exported: Exported) -> None:
    unlabelled = [{key: value for key, value in row.items() if key != "tips"} for row in MISSING]
    np.testing.assert_array_equal(exported.serving_default(unlabelled), exported.serving_default(MISSING))


def test_an_example_without_any_feature(exported: Exported) -> None:
    np.testing.assert_array_equal(exported.serving_default([{}]), exported.serving_default([MISSING[3]]))


def test_no_rows(exported: Exported) -> None:
    assert exported.predict([]).shape == (0, 1)


def test_a_row_does_not_depend_on_its_batch(exported: Exported, transformed: Transformed) -> None:
    together = exported.predict(transformed.rows[:10])
    alone = np.concatenate([exported.predict([row]) for row in transformed.rows[:10]])
    np.testing.assert_allclose(alone, together, atol=1e-6)


def test_whole_numbers_are_exact_to_2_to_the_53(exported: Exported) -> None:
    row = {"fare": 5.0, "hour": 2**53, "company": "a"}
    np.testing.assert_array_equal(exported.predict([row]), exported.serving_default([row]))


def test_transform_features_gives_the_label(exported: Exported, transformed: Transformed) -> None:
    examples = tf.constant(transformed.examples)
    found = exported.signatures["transform_features"](examples=examples)
    assert set(found) == {*exported.keys, LABEL_KEY}
    np.testing.assert_array_equal(found[LABEL_KEY].numpy().ravel(), [row["tips"] > 1 for row in transformed.rows])


def test_shapes_and_types_of_requests(exported: Exported) -> None:
    inputs = exported.signatures["predict"].structured_input_signature[1]
    assert {name: (spec.dtype, spec.shape.as_list()) for name, spec in inputs.items()} == {
        "fare": (tf.float32, [None]),
        "hour": (tf.float64, [None]),
        "company": (tf.string, [None]),
    }


def test_nothing_of_keras_is_saved(exported: Exported, tmp_path: Path, transformed: Transformed) -> None:
    inputs = tuple(TABLE.inputs)
    module = ServingModule(
        exported.model, exported.head, exported.transform.transform_savedmodel_dir, inputs, exported.keys
    )
    export_model(module, str(tmp_path))
    assert not (tmp_path / "keras_metadata.pb").exists()
    assert {path.name for path in (tmp_path / "assets").iterdir()} == {
        path.name for path in (Path(transformed.graph) / "transform_fn" / "assets").iterdir()
    }


def test_an_input_that_transform_does_not_know(exported: Exported) -> None:
    with pytest.raises(TrainingError, match="'speed', which the transform graph does not know") as caught:
        ServingModule(
            exported.model, exported.head, exported.transform.transform_savedmodel_dir, ["speed"], exported.keys
        )
    assert "fare" in str(caught.value.received)
