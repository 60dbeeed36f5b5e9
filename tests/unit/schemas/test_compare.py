from __future__ import annotations

import pytest
from google.protobuf import text_format
from hypothesis import given
from hypothesis import strategies as st
from tensorflow_metadata.proto.v0 import schema_pb2

from schemas.compare import compare_schemas


def schema(text: str) -> schema_pb2.Schema:
    return text_format.Parse(text, schema_pb2.Schema())


BEFORE = """
    feature {
      name: "fare" type: FLOAT presence { min_fraction: 0.8 }
      float_domain { min: 0 max: 100 disallow_nan: true }
    }
    feature { name: "hour" type: INT int_domain { min: 0 max: 23 } value_count { min: 1 max: 1 } }
    feature { name: "pay" type: BYTES domain: "pay" presence { min_count: 1 } }
    string_domain { name: "pay" value: "Card" value: "Cash" }
    dataset_constraints { min_examples_count: 10 }
"""


@pytest.mark.parametrize(
    ("old", "new", "change"),
    [
        ("type: FLOAT", "type: INT", "fare: type FLOAT -> INT"),
        ("max: 100 ", "max: 0.1 ", "fare: numbers 0.0 to 100.0, no NaN -> numbers 0.0 to 0.1, no NaN"),
        ("disallow_nan: true", "", "fare: numbers 0.0 to 100.0, no NaN -> numbers 0.0 to 100.0"),
        ("int_domain { min: 0 max: 23 }", "", "hour: numbers 0 to 23 -> any number"),
        ("int_domain { min: 0 max: 23 }", "int_domain { min: 0 }", "hour: numbers 0 to 23 -> numbers 0 to inf"),
        (
            "presence { min_fraction: 0.8 }",
            "presence { min_fraction: 0.75 }",
            "fare: in at least 80 % of the rows -> in at least 75 % of the rows",
        ),
        ("presence { min_count: 1 }", "", "pay: in at least 1 row -> may be missing"),
        ("value_count { min: 1 max: 1 }", "value_count { min: 1 max: 2 }", "hour: 1 value -> 1 to 2 values"),
        ("value_count { min: 1 max: 1 }", "", "hour: 1 value -> any number of values"),
        ('value: "Cash"', 'value: "Cash" value: "Beer"', "pay: values added: 'Beer'"),
        ('value: "Card"', "", "pay: values removed: 'Card'"),
        ('domain: "pay"', "", "pay: values 'Card', 'Cash' -> any"),
        (
            'domain: "pay"',
            'domain: "pay" lifecycle_stage: DEPRECATED',
            "pay: lifecycle_stage UNKNOWN_STAGE -> DEPRECATED",
        ),
        ("min_examples_count: 10", "min_examples_count: 5", "dataset: at least 10 rows -> 5"),
        (
            "min_examples_count: 10",
            "min_examples_count: 10 max_examples_count: 9",
            "dataset: at most any number of rows -> 9",
        ),
        ("dataset_constraints", 'default_environment: "SERVING" dataset_constraints', None),
    ],
)
def test_one_change_is_told_in_words(old, new, change):
    assert BEFORE.count(old) == 1
    found = compare_schemas(schema(BEFORE), schema(BEFORE.replace(old, new)))
    assert len(found) == 1
    assert change is None or str(found[0]) == change


def test_a_new_feature_is_described():
    after = BEFORE + 'feature { name: "new" type: BYTES string_domain { value: "a" } presence { min_fraction: 1 } }'
    (change,) = compare_schemas(schema(BEFORE), schema(after))
    assert str(change) == "new: new: BYTES, in at least 100 % of the rows, values 'a'"


def test_a_removed_feature_is_told():
    after = schema(BEFORE)
    del after.feature[1]
    assert [str(change) for change in compare_schemas(schema(BEFORE), after)] == ["hour: removed"]


def test_equal_schemas_have_no_change():
    assert compare_schemas(schema(BEFORE), schema(BEFORE)) == ()


def test_order_and_the_place_of_a_domain_mean_nothing():
    first = schema(
        'feature { name: "a" type: INT } feature { name: "b" type: BYTES string_domain { value: "x" value: "y" } }'
    )
    second = schema(
        'feature { name: "b" type: BYTES domain: "d" } feature { name: "a" type: INT } '
        'string_domain { name: "d" value: "y" value: "x" }'
    )
    assert compare_schemas(first, second) == ()


def test_a_long_domain_is_cut():
    after = schema(BEFORE)
    after.string_domain[0].value.extend(f"v{n}" for n in range(500))
    (change,) = compare_schemas(schema(BEFORE), after)
    assert change.text.endswith("... (500 in all)")


FEATURES = st.builds(
    schema_pb2.Feature,
    name=st.just("a"),
    type=st.sampled_from([schema_pb2.INT, schema_pb2.FLOAT]),
    deprecated=st.booleans(),
    presence=st.none() | st.builds(schema_pb2.FeaturePresence, min_count=st.integers(1, 3)),
    value_count=st.none() | st.builds(schema_pb2.ValueCount, min=st.integers(0, 2), max=st.integers(2, 4)),
    int_domain=st.none() | st.builds(schema_pb2.IntDomain, min=st.integers(0, 2), is_categorical=st.booleans()),
)


@given(old=FEATURES, new=FEATURES)
def test_there_is_a_change_exactly_when_the_features_differ(old, new):
    changes = compare_schemas(schema_pb2.Schema(feature=[old]), schema_pb2.Schema(feature=[new]))
    assert bool(changes) == (old != new)
