"""Text to values, and the narrowest type."""

from __future__ import annotations

import math

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tfx_bsl.coders import csv_decoder

from components.example_gen.values import ValueType, convert, narrowest
from schemas.features import Dtype


@pytest.mark.parametrize(
    ("texts", "dtype", "values"),
    [
        (["1", "-2", "007"], "int", [1, -2, 7]),
        (["+5", " 6 ", "3.0", "1e3"], "int", [5, 6, 3, 1000]),
        (["9223372036854775807", "-9223372036854775808"], "int", [2**63 - 1, -(2**63)]),
        (["1", "2.5", "-.5", "1e-3", " 4", "+1"], "float", [1.0, 2.5, -0.5, np.float32(0.001), 4.0, 1.0]),
        (["inf", "-Infinity"], "float", [math.inf, -math.inf]),
        (["x", "1"], "string", ["x", "1"]),
    ],
)
def test_values(texts: list[str], dtype: Dtype, values: list[object]) -> None:
    result = convert(pa.array(texts), dtype)
    assert result.values.to_pylist() == values
    assert result.refused == {}


def test_nan_is_a_float() -> None:
    assert math.isnan(convert(pa.array(["NaN"]), "float").values[0].as_py())


@pytest.mark.parametrize(
    ("text", "dtype", "reason"),
    [
        ("abc", "int", "not a number"),
        ("0x1F", "int", "not a number"),
        ("1_000", "int", "not a number"),
        ("1.5", "int", "not a whole number"),
        ("nan", "int", "not a whole number"),
        ("9223372036854775808", "int", "outside the range of int64"),
        ("abc", "float", "not a number"),
        ("1,5", "float", "not a number"),
        ("nan(1)", "float", "not a number"),
        ("1e39", "float", "outside the range of float32"),
        ("1e400", "float", "outside the range of float32"),
    ],
)
def test_refused(text: str, dtype: Dtype, reason: str) -> None:
    result = convert(pa.array(["1", text, "2"]), dtype)
    assert result.refused == {1: reason}
    assert result.values.to_pylist() == [1, None, 2]


def test_float_beyond_float32_is_infinite_where_stock_makes_it_so() -> None:
    result = convert(pa.array(["1e39"]), "float", clip=True)
    assert (result.values.to_pylist(), result.refused) == ([math.inf], {})


@pytest.mark.parametrize(
    ("texts", "kind"),
    [
        ([], "none"),
        (["1", "+2", " 3"], "int"),
        (["1", "2.0"], "float"),
        (["1", "nan"], "float"),
        (["1", "x"], "string"),
        (["0x1F"], "string"),
        (["9223372036854775808"], "string"),
        (["1.5", "99999999999999999999"], "string"),
    ],
)
def test_narrowest_type(texts: list[str], kind: ValueType) -> None:
    assert narrowest(pa.array(texts, pa.string())) == kind


_STOCK = {
    csv_decoder.ColumnType.UNKNOWN: "none",
    csv_decoder.ColumnType.INT: "int",
    csv_decoder.ColumnType.FLOAT: "float",
    csv_decoder.ColumnType.STRING: "string",
}
_TEXTS = st.one_of(
    st.integers(-(10**20), 10**20).map(str),
    st.floats().map(repr),
    st.text(st.sampled_from("0123456789.-+eEinfax "), min_size=1, max_size=8),
)


@given(st.lists(_TEXTS, min_size=1, max_size=5))
def test_narrowest_type_is_that_of_stock(texts: list[str]) -> None:
    inferrer = csv_decoder.ColumnTypeInferrer(["a"], skip_blank_lines=True)
    accumulator = inferrer.create_accumulator()
    for text in texts:
        accumulator = inferrer.add_input(accumulator, [text.encode()])
    assert narrowest(pa.array(texts, pa.string())) == _STOCK[inferrer.extract_output(accumulator)[0].type]
