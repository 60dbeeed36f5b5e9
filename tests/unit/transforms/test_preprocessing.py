from __future__ import annotations

import csv
import functools
from importlib import resources
from pathlib import Path

import pytest
import tensorflow as tf
import tensorflow_transform as tft
import yaml

from schemas.errors import SchemaError
from schemas.features import FeatureTable
from schemas.transformed import Category, Dense, model_inputs
from transforms.preprocessing import preprocessing_fn

CONVERT = {"float": float, "int": int, "string": str}


def taxi_table():
    settings = yaml.safe_load(Path("configs/taxi.yaml").read_text())
    return FeatureTable.model_validate({"features": settings["features"], "label": settings["label"]})


def taxi_rows(table, count):
    sample = resources.files("tfx") / "examples/chicago_taxi_pipeline/data/simple/data.csv"
    with sample.open() as file:
        raw = [row for row, _ in zip(csv.DictReader(file), range(count), strict=False)]
    columns = table.columns.items()
    return [{name: CONVERT[dtype](row[name]) for name, dtype in columns if row[name] != ""} for row in raw]


@pytest.fixture(scope="module")
def taxi(analyze):
    table = taxi_table()
    return analyze(table, taxi_rows(table, 500), batch=200)


def test_every_kind_has_its_model_input(kinds):
    keys = {found.key for found in model_inputs(kinds.output.transformed_metadata.schema)}
    features = {f"{name}_xf" for name in kinds.table.features}
    assert keys == {*features, "min_max_missing_xf"}


@pytest.mark.slow
def test_model_inputs_of_the_taxi_table(taxi):
    companies = len(taxi.output.vocabulary_by_name("company"))
    payments = len(taxi.output.vocabulary_by_name("payment_type"))
    assert model_inputs(taxi.output.transformed_metadata.schema) == (
        Category("company_xf", companies + 2),
        Category("dropoff_census_tract_xf", 201),
        Category("dropoff_community_area_xf", 79),
        Category("dropoff_latitude_xf", 11),
        Category("dropoff_longitude_xf", 11),
        Category("fare_bucket_xf", 21),
        Dense("fare_xf", 1),
        Category("payment_type_xf", payments + 2),
        Category("pickup_census_tract_xf", 101),
        Category("pickup_community_area_xf", 79),
        Category("pickup_latitude_xf", 11),
        Category("pickup_longitude_xf", 11),
        Category("trip_miles_bucket_xf", 11),
        Dense("trip_miles_xf", 1),
        Dense("trip_seconds_missing_xf", 1),
        Dense("trip_seconds_xf", 1),
        Category("trip_start_day_xf", 9),
        Category("trip_start_hour_xf", 25),
        Category("trip_start_month_xf", 14),
        Dense("trip_start_timestamp_xf", 6),
    )


@pytest.mark.slow
def test_taxi_rows_are_the_same_three_ways(taxi):
    for key in taxi.by_saved_model:
        taxi.of(key)


@pytest.mark.slow
def test_an_empty_request_is_answered(taxi):
    found = taxi.serve([{}, {}], only=list(taxi.table.inputs))
    assert found["fare_xf"].tolist() == [[0.0], [0.0]]
    assert found["trip_seconds_missing_xf"].tolist() == [[1.0], [1.0]]


def test_a_batch_of_one_and_of_none(kinds):
    assert kinds.serve([{"amount": 2.0}])["z_xf"].tolist() == [[0.0]]
    parsed = tf.io.parse_example(tf.constant([], tf.string), kinds.raw_spec)
    assert {value.shape[0] for value in kinds.layer(parsed).values()} == {0}


def config(**features):
    return {"features": {"features": features, "label": {"kind": "binary", "expression": "tips > 1"}}}


def test_a_missing_column_names_the_feature_and_the_nearest_column():
    inputs = {"fares": tf.constant([1.0]), "tips": tf.constant([1.0])}
    with pytest.raises(SchemaError) as error:
        preprocessing_fn(inputs, config(price={"kind": "passthrough", "column": "fare"}))
    assert error.value.where == "features.price"
    assert error.value.what == "The data has no column 'fare'."
    assert error.value.fix == "Did you mean 'fares'?"


def test_a_missing_label_column_names_the_label():
    with pytest.raises(SchemaError) as error:
        preprocessing_fn({"fare": tf.constant([1.0])}, config(fare={"kind": "passthrough"}))
    assert error.value.where == "label"


def test_text_where_numbers_belong_names_the_feature():
    inputs = {"fare": tf.constant(["a"]), "tips": tf.constant([1.0])}
    with pytest.raises(SchemaError) as error:
        preprocessing_fn(inputs, config(price={"kind": "passthrough", "column": "fare"}))
    assert error.value.where == "features.price, column 'fare'"


def test_dense_columns():
    inputs = {"fare": tf.constant([1.0, 2.0]), "tips": tf.constant([0.0, 3.0])}
    found = preprocessing_fn(inputs, config(fare={"kind": "passthrough"}))
    assert {key: value.numpy().tolist() for key, value in found.items()} == {
        "fare_xf": [[1.0], [2.0]],
        "label_xf": [[0.0], [1.0]],
    }


def test_other_keys_of_the_configuration_are_left_alone():
    inputs = {"fare": tf.constant([1.0]), "tips": tf.constant([0.0])}
    assert preprocessing_fn(inputs, {**config(fare={"kind": "passthrough"}), "code": "abc"})


def test_errors_pass_through_the_tracing_of_transform():
    specs = {"fares": tf.SparseTensorSpec([None, None], tf.float32)}
    partial = functools.partial(preprocessing_fn, custom_config=config(price={"kind": "passthrough", "column": "fare"}))
    with pytest.raises(SchemaError, match="no column 'fare'"):
        tft.get_analyze_input_columns(partial, specs)


def test_two_features_that_make_one_input_are_refused():
    features = {
        "fare": {"kind": "bucketized", "boundaries": [1.0]},
        "fare_missing": {"kind": "passthrough", "column": "fare"},
    }
    inputs = {"fare": tf.constant([1.0]), "tips": tf.constant([0.0])}
    assert set(preprocessing_fn(inputs, config(**features))) == {"fare_xf", "fare_missing_xf", "label_xf"}
    features["fare"] = {"kind": "numeric", "missing_indicator": True}
    specs = {name: tf.SparseTensorSpec([None, None], tf.float32) for name in inputs}
    with pytest.raises(SchemaError, match="Two features make the model input 'fare_missing_xf'") as error:
        tft.get_analyze_input_columns(functools.partial(preprocessing_fn, custom_config=config(**features)), specs)
    assert error.value.received == "fare_missing and fare"
