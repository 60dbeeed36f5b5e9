"""tf.Examples to typed columns, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from components.example_gen import record_columns
from components.example_gen.record_blocks import RecordPiece
from components.example_gen.record_columns import read_record_columns
from schemas.errors import DataError
from schemas.features import Dtype

DECLARED: dict[str, Dtype] = {"n": "int", "x": "float", "s": "string"}


def example(**features: Any) -> bytes:
    made = tf.train.Example()
    for name, values in features.items():
        values = values if isinstance(values, list) else [values]
        feature = made.features.feature[name]
        if not values:
            feature.bytes_list.SetInParent()
        elif isinstance(values[0], bytes):
            feature.bytes_list.value.extend(values)
        elif isinstance(values[0], int):
            feature.int64_list.value.extend(values)
        else:
            feature.float_list.value.extend(values)
    return made.SerializeToString()


def _columns(*records: bytes, texts: tuple[str, ...] = (), missing: tuple[str, ...] = ()) -> dict[str, list[Any]]:
    found = read_record_columns(RecordPiece("a.tfrecord", 11, list(records)), DECLARED, texts, missing)
    assert {name: kind for name, (kind, _) in found.items()} == DECLARED
    return {name: values.to_pylist() for name, (_, values) in found.items()}


def _refused(message: str, *records: bytes, **options: Any) -> None:
    with pytest.raises(DataError, match="(?s)" + message):
        _columns(*records, **options)


def test_values_by_column() -> None:
    found = _columns(example(n=1, x=0.5, s=b"\xff\x00"), example(n=-2, x=2.0, s=b"b"))
    assert found == {"n": [1, -2], "x": [0.5, 2.0], "s": [b"\xff\x00", b"b"]}


def test_absent_empty_and_listed_texts_are_missing() -> None:
    found = _columns(example(), example(n=[], x=[], s=b""), example(n=3, x=1.0, s=b"NA"), missing=("NA",))
    assert found == {"n": [None, None, 3], "x": [None, None, 1.0], "s": [None, None, None]}


def test_numbers_of_the_other_kind_are_converted() -> None:
    assert _columns(example(n=3.0, x=4), example(n=5, x=6.5)) == {"n": [3, 5], "x": [4.0, 6.5], "s": [None, None]}


def test_features_that_the_table_does_not_name_are_left_out() -> None:
    assert _columns(example(n=1, other=[1.0, 2.0]), example(n=2, other=b"text"))["n"] == [1, 2]


def test_labels_are_text() -> None:
    assert _columns(example(s="größe".encode()), texts=("s",))["s"] == ["größe"]


def test_another_type_names_file_record_feature_and_value() -> None:
    _refused(
        "must hold a number.*a.tfrecord, record 12, feature 'x'.*Received: bytes b'three'.*dtype",
        example(x=1.0),
        example(x=b"three"),
    )


@pytest.mark.parametrize("value", [0.5, float("nan"), float("inf"), 1e30, b"1"])
def test_no_whole_number(value: Any) -> None:
    _refused("must hold a whole number.*record 11, feature 'n'", example(n=value))


def test_number_where_bytes_belong() -> None:
    _refused("must hold bytes.*record 11, feature 's'.*int64 7", example(s=7))


def test_several_values() -> None:
    _refused("several values.*record 12, feature 'n'.*3 values: 1, 2, 3", example(n=1), example(n=[1, 2, 3]))


def test_no_example() -> None:
    _refused("not a tf.Example.*record 12.*no example", example(n=1), b"no example at all")


def test_label_that_is_no_text() -> None:
    _refused(r"not UTF-8 text.*record 12, feature 's'.*xff", example(s=b"a"), example(s=b"\xff"), texts=("s",))


ROWS = st.fixed_dictionaries(
    {},
    optional={
        "n": st.integers(-(2**63), 2**63 - 1),
        "x": st.floats(width=32),
        "s": st.binary(max_size=5),
        "other": st.lists(st.integers(0, 9), max_size=3),
    },
)


@settings(max_examples=50)
@given(st.lists(ROWS, min_size=1, max_size=8))
def test_both_ways_of_decoding_agree(rows: list[dict[str, Any]]) -> None:
    piece = RecordPiece("a", 1, [example(**row) for row in rows])
    fast, slow = record_columns._decoded(piece.records, DECLARED), record_columns._one_by_one(piece, DECLARED)
    assert fast is not None
    for name in DECLARED:
        assert fast[name].type == slow[name].type
        assert repr(fast[name].to_pylist()) == repr(slow[name].to_pylist())  # NaN is not equal to itself
