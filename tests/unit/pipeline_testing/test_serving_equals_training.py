from __future__ import annotations

import pytest
import tensorflow as tf
import tensorflow_transform as tft

from pipeline_testing.serving_equals_training import ServingEqualsTraining
from schemas.errors import RunError
from schemas.features import FeatureTable

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]  # Transform analyses; TFX and Beam warn

TABLE = FeatureTable.model_validate(
    {
        "features": {
            "fare": {"kind": "numeric", "log": True},
            "company": {"kind": "categorical"},
            "hour": {"kind": "integer", "size": 24},
        },
        "label": {"kind": "binary", "expression": "tips > 1"},
    }
)


def centred(inputs):
    """By the batch where it should be by the data."""
    fare = tf.reshape(tf.sparse.to_dense(inputs["fare"]), [-1, 1])
    return {"by_data": fare - tft.mean(fare), "by_batch": fare - tf.reduce_mean(fare)}


def test_a_feature_table_serves_as_it_trains(assert_serving_equals_training: ServingEqualsTraining) -> None:
    train = [
        {"fare": 3, "company": "a", "hour": 23, "tips": 1.5},
        {"fare": None, "company": None, "hour": None, "tips": 0},
    ]
    assert_serving_equals_training(TABLE, {"train": train, "eval": [{"fare": 1.5, "company": "unknown", "tips": 2}]})


def test_a_feature_that_depends_on_its_batch_is_found(assert_serving_equals_training: ServingEqualsTraining) -> None:
    with pytest.raises(AssertionError) as caught:
        assert_serving_equals_training(centred, [{"fare": 1.0}, {"fare": 3}])
    assert str(caught.value).splitlines()[:4] == [
        "Serving does not equal training in 1 of 2 features, by the transform graph, split train.",
        "  by_batch: 2 of 2 rows",
        "    row 0: training [-1], serving [0]; request {'fare': 1.0}",
        "    row 1: training [1], serving [0]; request {'fare': 3.0}",
    ]


def test_features_without_rows_are_no_comparison(assert_serving_equals_training: ServingEqualsTraining) -> None:
    with pytest.raises(RunError, match="no rows to compare on"):
        assert_serving_equals_training(TABLE)
