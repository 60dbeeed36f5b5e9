from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_transform as tft

from schemas.features import FeatureTable
from transforms.preprocessing import preprocessing_fn

pytestmark = pytest.mark.slow  # it really trains or analyses, again and again

BINARY = {"kind": "binary", "expression": "y > 0"}


def table(**features):
    return FeatureTable.model_validate({"features": features, "label": BINARY})


def test_a_table_that_asks_for_nothing(analyze):
    found = analyze(table(h={"kind": "integer", "size": 2}), [{"h": 1, "y": 1.0}])
    assert found.of("h_xf") == [[1]]


def test_label_and_weight_are_not_analyzed(kinds):
    config = {"features": kinds.table.model_dump(mode="json")}
    specs = {name: tf.SparseTensorSpec([None, None], spec.dtype) for name, spec in kinds.raw_spec.items()}
    read = tft.get_analyze_input_columns(lambda inputs: preprocessing_fn(inputs, config), specs)
    assert set(read).isdisjoint({"tips", "fare", "w"})


def test_a_new_span_is_added_to_what_the_cache_has_of_the_old_ones(analyze, analyze_spans):
    features = table(
        n={"kind": "numeric"},
        q={"kind": "bucketized", "column": "n", "buckets": 2},
        c={"kind": "categorical"},
        t={"kind": "text", "length": 2, "weights": "tf_idf"},
    )
    old = [{"n": 1.0, "c": "a", "t": "x y", "y": 1.0}, {"n": 2.0, "c": "a", "t": "x", "y": 1.0}]
    new = [{"n": 6.0, "c": "b", "t": "y z z z", "y": 0.0}]
    together = analyze(features, [*old, *new])
    by_spans = analyze_spans(features, [old, new])
    assert by_spans.vocabulary_by_name("t") == [b"z", b"y", b"x"]
    parsed = tf.io.parse_example(together.serialized(together.rows), together.raw_spec)
    for key, value in by_spans.transform_features_layer()(parsed).items():
        np.testing.assert_allclose(value.numpy(), together.by_saved_model[key], rtol=1e-6)


def test_names_that_are_no_file_names(analyze):
    names = ("a b", "a-b", "a/c", "ä")  # of features; two columns of such names could not be told apart in a request
    found = analyze(
        table(**{name: {"kind": "categorical", "column": f"x{place}"} for place, name in enumerate(names)}),
        [{f"x{place}": f"in {name}" for place, name in enumerate(names)} | {"y": 1.0}],
    )
    for name in names:
        assert found.of(f"{name}_xf") == [[0]]
        assert found.output.vocabulary_by_name(name) == [f"in {name}".encode()]
