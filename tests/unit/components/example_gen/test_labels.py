"""Labels of rows: missing, wrong, counted."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from components.example_gen.labels import read_labels
from schemas.errors import SchemaError
from schemas.features import BinaryLabel, IntegerLabel, NumericLabel, OneHotLabel


def _floats(*values: float | None) -> tuple[Any, Any]:
    return "float", pa.array(values, pa.float32()).dictionary_encode()


def _ints(*values: int | None) -> tuple[Any, Any]:
    return "int", pa.array(values, pa.int64()).dictionary_encode()


def _strings(*values: str | None) -> tuple[Any, Any]:
    return "string", pa.array(values, pa.string()).dictionary_encode()


def test_expression_over_two_columns() -> None:
    label = BinaryLabel(kind="binary", expression="tips > 0.2 * fare")
    labels = read_labels(label, {"tips": _floats(3, 1, None, 9), "fare": _floats(10, 10, 10, float("nan"))})
    assert labels.missing.tolist() == [False, False, True, True]
    assert labels.wrong.tolist() == [False] * 4
    assert labels.counts == {"yes": 1, "no": 1}


def test_expression_over_text() -> None:
    label = BinaryLabel(kind="binary", expression="payment == 'Cash'")
    labels = read_labels(label, {"payment": _strings("Cash", "Card", None)})
    assert labels.counts == {"yes": 1, "no": 1}
    assert labels.missing.tolist() == [False, False, True]


def test_expression_over_an_int_column() -> None:
    label = BinaryLabel(kind="binary", expression="hour >= 12")
    assert read_labels(label, {"hour": _ints(3, 12, 23, None)}).counts == {"yes": 2, "no": 1}


def test_column_of_zeros_and_ones_is_yes_or_no() -> None:
    label = BinaryLabel(kind="binary", expression="clicked")
    assert read_labels(label, {"clicked": _floats(0, 1, 1)}).counts == {"yes": 2, "no": 1}


def test_number_that_is_not_yes_or_no() -> None:
    with pytest.raises(SchemaError, match="(?s)does not give yes or no.*such as 3.0"):
        read_labels(BinaryLabel(kind="binary", expression="tips"), {"tips": _floats(3, 1)})


def test_integer_class_out_of_range() -> None:
    labels = read_labels(IntegerLabel(kind="integer", column="y", classes=3), {"y": _ints(0, 2, 3, -1, None)})
    assert labels.wrong.tolist() == [False, False, True, True, False]
    assert labels.missing.tolist() == [False, False, False, False, True]
    assert labels.counts["2"] == 1


def test_unknown_class_name() -> None:
    label = OneHotLabel(kind="one_hot", column="y", classes=("a", "b"))
    labels = read_labels(label, {"y": _strings("a", "c", "c", None)})
    assert labels.wrong.tolist() == [False, True, True, False]
    assert (labels.counts, labels.unknown) == ({"a": 1}, {"c": 2})


@pytest.mark.parametrize(("values", "distinct"), [((1.0, 2.0, 3.0), 2), ((5.0, 5.0), 1), ((None,), 0)])
def test_numeric_label_varies_or_not(values: tuple[float | None, ...], distinct: int) -> None:
    labels = read_labels(NumericLabel(kind="numeric", column="y"), {"y": _floats(*values)})
    assert len(labels.counts) == distinct


def test_class_of_each_row() -> None:
    label = BinaryLabel(kind="binary", expression="tips > 2")
    classes = read_labels(label, {"tips": _floats(3, None, 1)}).classes
    assert classes is not None
    assert classes[[0, 2]].tolist() == ["yes", "no"]


def test_infinite_number_is_no_label() -> None:
    label = NumericLabel(kind="numeric", column="y")
    assert read_labels(label, {"y": _floats(1, float("inf"), None)}).wrong.tolist() == [False, True, False]
