"""Encoded examples, byte for byte against protobuf."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from components.example_gen.encode import encode_examples, varint
from components.example_gen.values import ValueType

_ARROW = {"int": pa.int64(), "float": pa.float32(), "string": pa.string(), "none": pa.string()}
Rows = list[dict[str, object]]


def _protobuf(columns: dict[str, tuple[ValueType, list[object]]]) -> list[bytes]:
    count = len(next(iter(columns.values()))[1])
    examples = []
    for row in range(count):
        features = {}
        for name, (kind, values) in columns.items():
            value = [] if values[row] is None else [values[row]]
            if kind == "int":
                features[name] = tf.train.Feature(int64_list=tf.train.Int64List(value=value))
            elif kind == "float":
                features[name] = tf.train.Feature(float_list=tf.train.FloatList(value=value))
            elif kind == "string":
                encoded = [text.encode() for text in value]
                features[name] = tf.train.Feature(bytes_list=tf.train.BytesList(value=encoded))
            else:
                features[name] = tf.train.Feature()
        # Entry by entry: of two names of which one begins with the other, protobuf's backends do not put the same one
        # first, and the bytes must not depend on the backend.
        entries = b"".join(
            tf.train.Features(feature={name: features[name]}).SerializeToString()
            for name in sorted(features, key=lambda name: name.encode())
        )
        examples.append(b"\x0a" + varint(len(entries)) + entries)
    return examples


def _encode(columns: dict[str, tuple[ValueType, list[object]]]) -> list[bytes]:
    return encode_examples(
        {name: (kind, pa.array(values, _ARROW[kind]).dictionary_encode()) for name, (kind, values) in columns.items()}
    )


def test_one_number() -> None:
    # Example{1: Features{1: {1: "a", 2: Feature{3: Int64List{1: [5]}}}}}
    assert _encode({"a": ("int", [5])}) == [b"\x0a\x0c\x0a\x0a\x0a\x01a\x12\x05\x1a\x03\x0a\x01\x05"]


@pytest.mark.parametrize(("number", "digits"), [(0, b"\x00"), (127, b"\x7f"), (128, b"\x80\x01"), (300, b"\xac\x02")])
def test_varint(number: int, digits: bytes) -> None:
    assert varint(number) == digits


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("int", [0, 1, -1, 127, 128, 2**63 - 1, -(2**63), None]),
        ("float", [0.0, -0.0, 1.5, float("inf"), float("-inf"), float("nan"), None, 1e-45]),
        ("string", ["a", "é", "x" * 127, "x" * 128, "x" * 20_000, None]),
        ("none", [None, None]),
        ("int", [None, None]),
    ],
)
def test_bytes_equal_protobuf(kind: ValueType, values: list[object]) -> None:
    columns = {"name": (kind, values)}
    assert _encode(columns) == _protobuf(columns)


def test_long_name_and_many_columns() -> None:
    columns: dict[str, tuple[ValueType, list[object]]] = {f"{'n' * 130}{i}": ("int", [i, None]) for i in range(300)}
    assert _encode(columns) == _protobuf(columns)


_VALUES = {
    "int": st.integers(-(2**63), 2**63 - 1),
    "float": st.floats(width=32),
    "string": st.text(st.characters(blacklist_categories=("Cs",)), max_size=5),
    "none": st.none(),
}


@given(st.data())
def test_any_columns_equal_protobuf(data: st.DataObject) -> None:
    names = data.draw(
        st.lists(st.text(st.characters(blacklist_categories=("Cs",)), max_size=3), min_size=1, unique=True, max_size=4)
    )
    rows = data.draw(st.integers(1, 4))
    columns: dict[str, tuple[ValueType, list[object]]] = {}
    for name in names:
        kind: ValueType = data.draw(st.sampled_from(["int", "float", "string", "none"]))
        columns[name] = (kind, data.draw(st.lists(st.none() | _VALUES[kind], min_size=rows, max_size=rows)))
    assert _encode(columns) == _protobuf(columns)


def test_rows_selected_from_a_dictionary() -> None:
    values = pa.array([1, 2, 3, 2]).dictionary_encode().filter(pa.array(np.array([False, True, False, True])))
    assert encode_examples({"a": ("int", values)}) == _protobuf({"a": ("int", [2, 2])})
