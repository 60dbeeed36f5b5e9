from __future__ import annotations

import pyarrow as pa
import pytest
from google.protobuf import text_format
from hypothesis import given
from hypothesis import strategies as st
from tensorflow_metadata.proto.v0 import schema_pb2

from components.anomaly_gate.evidence import Evidence, Sample, find_evidence

SCHEMA = text_format.Parse(
    """
    feature { name: "fare" type: FLOAT float_domain { min: 0 max: 100 } value_count { min: 1 max: 1 } }
    feature { name: "hour" type: INT int_domain { min: 0 max: 23 } }
    feature { name: "pay" type: BYTES domain: "pay" }
    feature { name: "own" type: BYTES string_domain { value: "a" } }
    feature { name: "flag" type: BYTES bool_domain { true_value: "yes" false_value: "no" } }
    string_domain { name: "pay" value: "Cash" value: "Card" }
    """,
    schema_pb2.Schema(),
)


def found(batch: pa.RecordBatch, name: str, kind: str, limit: int = 5) -> Evidence | None:
    return find_evidence([batch], [(name, kind)], SCHEMA, limit).get((name, kind))


@pytest.mark.parametrize(
    ("name", "kind", "values", "rows", "samples"),
    [
        ("pay", "ENUM_TYPE_UNEXPECTED_STRING_VALUES", [b"Cash", b"Beer", None, b"Beer"], 2, ["'Beer' (row 2)"]),
        ("own", "ENUM_TYPE_UNEXPECTED_STRING_VALUES", [b"a", b"b"], 1, ["'b' (row 2)"]),
        ("flag", "BOOL_TYPE_UNEXPECTED_STRING", [b"yes", b"no", b"maybe"], 1, ["'maybe' (row 3)"]),
        ("pay", "ENUM_TYPE_INVALID_UTF8", [b"Cash", b"\xff"], 1, [r"b'\xff' (row 2)"]),
        ("fare", "FLOAT_TYPE_BIG_FLOAT", [1.0, 100.0, 100.1], 1, ["100.1 (row 3)"]),
        ("fare", "FLOAT_TYPE_SMALL_FLOAT", [None, -0.5, 0.0], 1, ["-0.5 (row 2)"]),
        ("fare", "FLOAT_TYPE_HAS_NAN", [1.0, float("nan")], 1, ["nan (row 2)"]),
        ("fare", "FLOAT_TYPE_HAS_INF", [float("-inf"), 1.0], 1, ["-inf (row 1)"]),
        ("hour", "INT_TYPE_BIG_INT", [23, 24, 30], 2, ["24 (row 2)", "30 (row 3)"]),
        ("hour", "INT_TYPE_SMALL_INT", [-1, 0], 1, ["-1 (row 1)"]),
        ("fare", "UNEXPECTED_DATA_TYPE", [b"1.5", b"much"], 1, ["'much' (row 2)"]),
        ("hour", "UNEXPECTED_DATA_TYPE", [1.0, 1.5], 1, ["1.5 (row 2)"]),
        ("pay", "UNEXPECTED_DATA_TYPE", [1, 2], 2, ["1 (row 1)", "2 (row 2)"]),
        ("fare", "FEATURE_TYPE_LOW_FRACTION_PRESENT", [1.0, None, 2.0, None], 2, ["row 2", "row 4"]),
        ("fare", "FEATURE_TYPE_NOT_PRESENT", [None, None], 2, ["row 1", "row 2"]),
        ("fare", "FEATURE_TYPE_HIGH_NUMBER_VALUES", [1.0, [2.0, 3.0]], 1, ["'2 values' (row 2)"]),
        ("new", "SCHEMA_NEW_COLUMN", [b"red", b"red", b"blue"], 3, ["'red' (row 1)", "'blue' (row 3)"]),
    ],
)
def test_offending_rows(batch, name, kind, values, rows, samples):
    evidence = found(batch({name: values}), name, kind)
    assert evidence is not None
    assert evidence.rows == rows
    assert [str(sample) for sample in evidence.samples] == samples


def test_a_column_that_is_not_there_is_missing_in_every_row(batch):
    evidence = found(batch({"hour": [1, 2]}), "fare", "SCHEMA_MISSING_COLUMN", limit=1)
    assert evidence == Evidence(rows=2, samples=(Sample(None, 1),))


@pytest.mark.parametrize("kind", ["COMPARATOR_L_INFTY_HIGH", "DATASET_LOW_NUM_EXAMPLES", "FEATURE_TYPE_LOW_UNIQUE"])
def test_no_row_is_to_blame_for_what_concerns_all(batch, kind):
    assert found(batch({"pay": [b"Cash"]}), "pay", kind) is None


def test_rows_are_counted_over_batches_and_samples_are_distinct(batch):
    batches = [batch({"hour": [1, 99, 99]}), batch({"hour": [99, 50, 51]}), batch({"hour": [None, None, None]})]
    pair = ("hour", "INT_TYPE_BIG_INT")
    evidence = find_evidence(batches, [pair], SCHEMA, limit=2)[pair]
    assert evidence.rows == 5
    assert [str(sample) for sample in evidence.samples] == ["99 (row 2)", "50 (row 5)"]


def test_a_float_is_shown_as_it_was_written(batch):
    evidence = found(batch({"fare": [141.9]}), "fare", "FLOAT_TYPE_BIG_FLOAT")
    assert evidence is not None
    assert evidence.samples[0].value == "141.9"


def test_a_long_value_is_cut(batch):
    evidence = found(batch({"pay": [b"x" * 10_000]}), "pay", "ENUM_TYPE_UNEXPECTED_STRING_VALUES")
    assert evidence is not None
    assert len(evidence.samples[0].value or "") < 70


def test_no_samples_asked_for_still_counts(batch):
    evidence = found(batch({"hour": [99, None]}), "hour", "INT_TYPE_BIG_INT", limit=0)
    assert evidence == Evidence(rows=1, samples=())


def test_nothing_is_read_when_no_row_can_be_to_blame():
    def never():
        raise RuntimeError("read")
        yield

    assert find_evidence(never(), [("pay", "COMPARATOR_L_INFTY_HIGH")], SCHEMA, 5) == {}


@given(
    values=st.lists(st.none() | st.integers(-5, 30) | st.lists(st.integers(-5, 30), max_size=3), min_size=1),
    cut=st.integers(1, 40),
    limit=st.integers(1, 4),
)
def test_equals_a_search_row_by_row(values, cut, limit):
    rows = [value if value is None or isinstance(value, list) else [value] for value in values]
    whole = pa.RecordBatch.from_arrays([pa.array(rows, pa.list_(pa.int64()))], names=["hour"])
    batches = [whole.slice(start, cut) for start in range(0, len(rows), cut)]
    big = ("hour", "INT_TYPE_BIG_INT")
    gone = ("hour", "FEATURE_TYPE_LOW_FRACTION_PRESENT")
    evidence = find_evidence(batches, [big, gone], SCHEMA, limit)

    offending = [n for n, row in enumerate(rows, 1) if any(value > 23 for value in row or [])]
    missing = [n for n, row in enumerate(rows, 1) if not row]
    first = {}
    for n, row in enumerate(rows, 1):
        for value in row or []:
            if value > 23:
                first.setdefault(str(value), n)
    assert (evidence[big].rows if big in evidence else 0) == len(offending)
    assert (evidence[gone].rows if gone in evidence else 0) == len(missing)
    if offending:
        assert [(s.value, s.row) for s in evidence[big].samples] == list(first.items())[:limit]
    if missing:
        assert [s.row for s in evidence[gone].samples] == missing[:limit]
