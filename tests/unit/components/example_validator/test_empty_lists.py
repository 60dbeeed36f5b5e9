from __future__ import annotations

import pytest
import tensorflow_data_validation as tfdv
from google.protobuf import text_format
from hypothesis import given, settings
from hypothesis import strategies as st
from tensorflow_metadata.proto.v0 import anomalies_pb2, schema_pb2

from components.example_validator.empty_lists import amend, count_empty_as_missing, features_with_empty_lists, validate

Type = anomalies_pb2.AnomalyInfo.Type


def schema(text: str) -> schema_pb2.Schema:
    return text_format.Parse(text, schema_pb2.Schema())


SOME = schema("""
    feature {
      name: "x" type: FLOAT presence { min_fraction: 0.5 } value_count { max: 1 } float_domain { min: 40 max: 42 }
    }
""")
MAYBE = schema('feature { name: "x" type: FLOAT float_domain { min: 40 max: 42 } }')
ALL = schema('feature { name: "x" type: FLOAT presence { min_fraction: 1 } value_count { min: 1 max: 1 } }')
UNSAID = schema('feature { name: "x" type: FLOAT presence { min_fraction: 1 } }')


def kinds(anomalies: anomalies_pb2.Anomalies) -> list[str]:
    return [Type.Name(reason.type) for info in anomalies.anomaly_info.values() for reason in info.reason]


def test_counts_are_those_of_missing_values(statistics):
    counted = count_empty_as_missing(statistics({"x": [[], 41.0, [], None]}))
    common = counted.datasets[0].features[0].num_stats.common_stats
    assert (common.num_missing, common.num_non_missing, common.min_num_values, common.max_num_values) == (3, 1, 1, 1)


def test_what_is_given_is_not_changed(statistics):
    given_ = statistics({"x": [[], 41.0]})
    before = given_.SerializeToString(deterministic=True)
    count_empty_as_missing(given_)
    assert given_.SerializeToString(deterministic=True) == before


def test_lists_of_several_values_stay_as_they_were(statistics):
    several = statistics({"x": [[], [1.0, 2.0]]})
    assert features_with_empty_lists(several) == set()
    assert count_empty_as_missing(several) == several


@pytest.mark.parametrize(
    ("asked", "values", "found"),
    [
        (SOME, [41.0, []], []),
        (SOME, [41.0, [], [], []], ["FEATURE_TYPE_LOW_FRACTION_PRESENT"]),
        (SOME, [[], []], ["FEATURE_TYPE_NOT_PRESENT"]),
        (SOME, [50.0, []], ["FLOAT_TYPE_BIG_FLOAT"]),
        (MAYBE, [[], []], []),
        (MAYBE, [39.0, []], ["FLOAT_TYPE_SMALL_FLOAT"]),
        (ALL, [41.0, 41.0], []),
        (ALL, [41.0, []], ["FEATURE_TYPE_LOW_FRACTION_PRESENT"]),
        # TFDV infers this where there are empty lists: the schema of the same data must not refuse them.
        (UNSAID, [41.0, []], []),
    ],
)
def test_an_empty_list_is_judged_as_a_missing_value(statistics, asked, values, found):
    counted = statistics({"x": values})
    assert kinds(validate(counted, asked)) == found
    assert kinds(amend(tfdv.validate_statistics(counted, asked), counted, asked)) == found


def test_drift_found_by_the_validator_is_kept(statistics):
    counted = statistics({"x": [[], []]})
    found = tfdv.validate_statistics(counted, SOME)
    info = found.anomaly_info["x"]
    info.path.step[:] = ["x"]
    info.reason.add(type=anomalies_pb2.AnomalyInfo.COMPARATOR_L_INFTY_HIGH)
    assert kinds(amend(found, counted, SOME)) == ["FEATURE_TYPE_NOT_PRESENT", "COMPARATOR_L_INFTY_HIGH"]


def test_other_features_keep_what_the_validator_found(statistics):
    counted = statistics({"x": [41.0, []], "new": [1, 2]})
    assert kinds(amend(tfdv.validate_statistics(counted, SOME), counted, SOME)) == ["SCHEMA_NEW_COLUMN"]


@settings(max_examples=30)
@given(present=st.lists(st.booleans(), min_size=1, max_size=8).filter(any))
def test_empty_and_absent_give_the_same_anomalies(statistics, present):
    empty = statistics({"x": [41.0 if there else [] for there in present]})
    absent = statistics({"x": [41.0 if there else None for there in present]})
    for asked in (SOME, ALL):
        assert validate(empty, asked) == validate(absent, asked)
