from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import SchemaError
from schemas.expression import Expression

NAN = float("nan")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("tips > 0.2 * fare", [True, False, False, False]),
        ("tips >= 2", [True, True, False, False]),
        ("tips < 2 or fare < 1", [False, False, True, False]),
        ("not tips > 0.2 * fare", [False, True, True, True]),
        ("0 < tips < 3", [False, True, False, False]),
        ("tips == 3 and fare != 10", [False, False, False, False]),
        ("(tips + fare) / 2 - -1 > 7", [True, True, False, False]),
        ('kind == "cash"', [True, False, True, False]),
        ('"cash" != kind', [False, True, False, True]),
        ('kind == "cash" and not tips > 1', [False, False, True, False]),
        ("tips != 3", [False, True, True, True]),
    ],
)
@pytest.mark.parametrize("dtype", [object, "S", "U"])
def test_hand_computed(text: str, expected: list[bool], dtype: object) -> None:
    # Missing numbers (NaN) compare as false, and so as true under not and !=.
    columns = {
        "tips": np.array([3, 2, 0, NAN], np.float32),
        "fare": np.array([10, 12, 0, 5], np.float32),
        "kind": np.array(["cash", "card", "cash", ""]).astype(dtype),
    }
    assert np.asarray(Expression(text)(columns)).tolist() == expected


def test_tensors_give_what_arrays_give() -> None:
    tf = pytest.importorskip("tensorflow")
    text = '("cash" == kind or not tips > 1) and 0 <= fare < 12 and tips != 3'
    columns = {
        "tips": np.array([3, 2, 0, NAN], np.float32),
        "fare": np.array([10, 11, 0, 5], np.float32),
        "kind": np.array([b"cash", b"cash", b"card", b""]),
    }
    tensors = {name: tf.constant(column) for name, column in columns.items()}
    expected = [False, True, True, True]
    assert Expression(text)(columns).tolist() == expected
    assert Expression(text)(tensors).numpy().tolist() == expected


def test_text_as_bytes_in_an_array_of_objects() -> None:
    column = np.array([None, b"cash", b"card"], object)
    assert Expression('kind == "cash"')({"kind": column}).tolist() == [False, True, False]


def test_columns_in_the_order_in_which_they_appear() -> None:
    expression = Expression('b > a * 2 and c == "x" or b < 1')
    assert expression.columns == ("b", "a", "c")
    assert expression.string_columns == {"c"}
    assert repr(expression) == """Expression('b > a * 2 and c == "x" or b < 1')"""


def test_a_column_alone_is_an_expression() -> None:
    assert Expression("bought")({"bought": np.array([0, 1])}).tolist() == [0, 1]


@pytest.mark.parametrize(
    ("text", "columns", "strings"),
    [
        ("`Trip Tips` > 0.2 * `fare ($)`", ("Trip Tips", "fare ($)"), set()),
        ("b > `a` and `b` < 1", ("b", "a"), set()),
        ("`class` > 1 or `größe` < `self`", ("class", "größe", "self"), set()),
        ("kind == 'it`s' and `a b` == \"`\"", ("kind", "a b"), {"kind", "a b"}),
        (r"kind == 'it\'s' and `it's` > 1", ("kind", "it's"), {"kind"}),
        ("_0 > `a b` * __0", ("_0", "a b", "__0"), set()),
        ("_\uff3f0 > `a b`", ("__0", "a b"), set()),  # Python reads the full-width low line as an underscore.
    ],
)
def test_columns_in_backquotes(text: str, columns: tuple[str, ...], strings: set[str]) -> None:
    expression = Expression(text)
    assert expression.columns == columns
    assert expression.string_columns == strings


def test_a_column_in_backquotes_has_its_value() -> None:
    columns = {"Trip Tips": np.array([3.0, 2.0]), "fare ($)": np.array([10.0, 12.0]), "in": np.array([1.0, 0.0])}
    assert Expression("`Trip Tips` > 0.2 * `fare ($)` and `in` == 1")(columns).tolist() == [True, False]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "it cannot be parsed"),
        ("tips >", "it cannot be parsed"),
        ("a; b", "it cannot be parsed"),
        ("a\0 > 1", "it cannot be parsed"),
        ("f(a) > 1", "'f(a)' is not allowed"),
        ("a.b > 1", "'a.b' is not allowed"),
        ("a[0] > 1", "'a[0]' is not allowed"),
        ("a ** 2 > 1", "'a ** 2' is not allowed"),
        ("a is b", "'a is b' is not allowed"),
        ("a == True", "'True' is not allowed"),
        ("a == None", "'None' is not allowed"),
        ("a == b'x'", "is not allowed"),
        ("1 if a > 1 else 0", "is not allowed"),
        ("1 > 0", "'1 > 0' compares no column"),
        ("a > 1 or 1 > 0", "'1 > 0' compares no column"),
        ("3", "it reads no column"),
        ("not a", "'a' is a column, not a comparison; write for example a == 1"),
        ("a and b > 1", "'a' is a column, not a comparison"),
        ("a + 1 and b > 1", "'a + 1' is a number where a comparison belongs"),
        ("a > (b > 1)", "'b > 1' is a comparison where a number belongs"),
        ("a + 'x' > 1", "\"'x'\" is text where a number belongs"),
        ("a < 'x'", "text can only be compared with == and !="),
        ("a == 'x' and a > 3", "'a' is used both as text and as a number"),
        ("a == 'x' == 3", "'3' is a number where text belongs"),
        ("`a b > 1", "it cannot be parsed"),
        ("`` > 1", "it cannot be parsed"),
        ("x`a`y > 1", "it cannot be parsed"),
        ("`a b`.c > 1", "'`a b`.c' is not allowed"),
        ("not `a b`", "'a b' is a column, not a comparison; write for example `a b` == 1"),
        ("`a b` == 'x' and `a b` > 3", "'a b' is used both as text and as a number"),
        ("(" * 500 + "a" + ")" * 500, "it cannot be parsed"),
        ("+".join(["a"] * 20_000) + " > 1", "it nests too deep"),
    ],
)
def test_what_is_not_an_expression_says_why(text: str, why: str) -> None:
    with pytest.raises(SchemaError) as caught:
        Expression(text)
    assert why in caught.value.what
    assert caught.value.received == text


@given(st.text('ab01 +-*/<>=!()"`andornot.', max_size=30))
def test_any_text_is_an_expression_or_a_schema_error(text: str) -> None:
    try:
        expression = Expression(text)
    except SchemaError:
        return
    columns = {name: np.ones(2, np.float32) for name in expression.columns}
    read = {
        name: np.array(["x", "y"]) if name in expression.string_columns else np.ones(2) for name in expression.columns
    }
    with np.errstate(all="ignore"):
        assert np.shape(expression({**columns, **read})) == (2,)
