from __future__ import annotations

import pytest
from google.protobuf import text_format
from hypothesis import given, settings
from hypothesis import strategies as st
from tensorflow_metadata.proto.v0 import schema_pb2

from runners.needed_schema import inferred_schema, needed_schema, remaining_anomalies, select_changes
from schemas.compare import compare_schemas

CURATED = text_format.Parse(
    """
    feature {
      name: "fare" type: FLOAT presence { min_fraction: 1 } value_count { min: 1 max: 1 }
      float_domain { min: 0 max: 100 } annotation { comment: "US dollars" }
    }
    feature { name: "hour" type: INT presence { min_fraction: 0.1 } int_domain { min: 0 max: 23 } }
    feature { name: "pay" type: BYTES presence { min_fraction: 1 } domain: "pay" }
    string_domain { name: "pay" value: "Cash" value: "Card" }
    dataset_constraints { min_examples_count: 2 }
    """,
    schema_pb2.Schema(),
)
GOOD = {"fare": [1.0, 2.0, 3.0, 4.0], "hour": [1, 2, None, 3], "pay": [b"Cash", b"Card", b"Cash", b"Cash"]}


def changes(statistics, train, evaluation=None, read=()) -> list[str]:
    found = {"train": statistics(train), "eval": statistics(evaluation or GOOD)}
    needed = needed_schema(CURATED, found, read)
    assert remaining_anomalies(needed, found) == {}
    return [str(change) for change in compare_schemas(CURATED, needed)]


def test_good_data_need_nothing(statistics):
    assert changes(statistics, GOOD) == []


@pytest.mark.parametrize(
    ("column", "values", "change"),
    [
        ("pay", [b"Cash", b"Beer", b"Cash", b"Cash"], ["pay: values added: 'Beer'"]),
        ("hour", [1, 24, 2, 3], ["hour: numbers 0 to 23 -> numbers 0 to 24"]),
        (
            "fare",
            [1.0, None, 2.0, 3.0],
            ["fare: in at least 100 % of the rows -> in at least 75 % of the rows"],
        ),
        ("new", [1, 2, 3, 4], ["new: new: INT, may be missing, 1 value"]),
        ("fare", [None] * 4, ["fare: in at least 100 % of the rows -> may be missing"]),
    ],
)
def test_one_split_loosens_what_it_must(statistics, column, values, change):
    assert changes(statistics, {**GOOD, column: values}) == change


def test_both_splits_are_looked_at(statistics):
    train = {**GOOD, "pay": [b"Beer"] * 4}
    evaluation = {**GOOD, "pay": [b"Gin"] * 4}
    assert changes(statistics, train, evaluation) == ["pay: values added: 'Beer', 'Gin'"]


@pytest.mark.parametrize(
    ("read", "change"),
    [
        (("hour",), "hour: in at least 10 % of the rows -> may be missing"),
        ((), "hour: lifecycle_stage UNKNOWN_STAGE -> DEPRECATED"),
    ],
)
def test_a_feature_that_is_gone_is_deprecated_only_where_nothing_reads_it(statistics, read, change):
    gone = {**GOOD, "hour": [None] * 4}
    assert change in changes(statistics, gone, gone, read)


def test_a_column_that_is_not_there_counts_as_gone(statistics):
    gone = {name: values for name, values in GOOD.items() if name != "hour"}
    assert changes(statistics, gone, gone, ("hour",)) == ["hour: in at least 10 % of the rows -> may be missing"]


def test_another_type_is_taken_from_the_data_and_remarks_stay(statistics):
    found = {split: statistics({**GOOD, "fare": [1, 2, 3, 4]}) for split in ("train", "eval")}
    (fare,) = (feature for feature in needed_schema(CURATED, found).feature if feature.name == "fare")
    assert fare.type == schema_pb2.INT
    assert fare.lifecycle_stage == schema_pb2.UNKNOWN_STAGE
    assert fare.annotation.comment == ["US dollars"]


def test_the_least_number_of_rows_moves(statistics):
    few = {name: values[:1] for name, values in GOOD.items()}
    assert changes(statistics, few) == ["dataset: at least 2 rows -> 1"]


def test_a_split_without_rows_teaches_nothing(statistics):
    found = {"train": statistics(GOOD), "eval": statistics(GOOD)}
    found["eval"].datasets[0].num_examples = 0
    del found["eval"].datasets[0].features[:]
    assert needed_schema(CURATED, found) == CURATED


def test_empty_lists_are_missing_values(statistics):
    train = {**GOOD, "fare": [1.0, [], 2.0, 3.0], "new": [1, [], 2, 3]}
    assert changes(statistics, train, {**GOOD, "new": [1, 2, 3, 4]}) == [
        "fare: in at least 100 % of the rows -> in at least 75 % of the rows",
        "fare: 1 value -> 0 to 1 values",
        "new: new: INT, in at least 1 row, 0 to 1 values",
    ]


def test_bounds_stay_where_no_row_has_a_value(statistics):
    gone = {**GOOD, "fare": [1.0, 2.0, 3.0, 4.0], "hour": [[]] * 4}
    gone_eval = {**gone, "hour": [[], [], 3, []]}
    assert changes(statistics, gone, gone_eval, ("hour",)) == ["hour: in at least 10 % of the rows -> may be missing"]


def test_only_the_selected_changes_are_taken(statistics):
    found = {"train": statistics({**GOOD, "pay": [b"Beer"] * 4, "hour": [99] * 4, "new": [b"x"] * 4})}
    needed = needed_schema(CURATED, found)
    some = select_changes(CURATED, needed, ["pay", "new"])
    assert {change.feature for change in compare_schemas(CURATED, some)} == {"pay", "new"}
    assert {change.feature for change in compare_schemas(some, needed)} == {"hour"}


def test_the_inferred_schema_covers_all_splits_and_has_no_shapes(statistics):
    found = {"train": statistics({"pay": [b"Cash", None]}), "eval": statistics({"pay": [b"Card", b"Card"]})}
    schema = inferred_schema(found)
    assert list(schema.string_domain[0].value) == ["Cash", "Card"]
    assert not schema.feature[0].HasField("shape")
    assert schema.feature[0].presence.min_fraction == 0.0
    assert remaining_anomalies(schema, found) == {}


@settings(max_examples=30)
@given(
    fares=st.lists(st.none() | st.floats(-1e6, 1e6, width=32), min_size=2, max_size=6),
    hours=st.lists(st.none() | st.integers(-50, 50), min_size=6, max_size=6),
    pays=st.lists(st.none() | st.sampled_from([b"Cash", b"Beer", b"Gin"]), min_size=6, max_size=6),
)
def test_whatever_comes_no_anomaly_remains_and_a_second_time_changes_nothing(statistics, fares, hours, pays):
    rows = len(fares)
    found = {"train": statistics({"fare": fares, "hour": hours[:rows], "pay": pays[:rows]})}
    needed = needed_schema(CURATED, found, ("fare", "pay"))
    assert remaining_anomalies(needed, found) == {}
    assert needed_schema(needed, found, ("fare", "pay")) == needed
