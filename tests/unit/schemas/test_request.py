from __future__ import annotations

import re
from keyword import iskeyword

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.request import indistinct, request_key


@pytest.mark.parametrize(
    ("column", "key"),
    [
        ("fare", "fare"),
        ("Trip Miles", "Trip_Miles"),
        ("fare ($)", "fare____"),
        ("a.b", "a.b"),
        ("a-b", "a-b"),
        ("a/b", "a_b"),
        ("1st", "1st"),
        ("größe", "gr_xf6_xdfe"),
        ("距离", "arg__u8ddd_u79bb"),
        ("_id", "arg__id"),
        (".5", "arg_.5"),
        ("", "arg_"),
        ("self", "self_"),
        ("class", "class_"),
        ("None", "None_"),
    ],
)
def test_the_key_of_a_column(column: str, key: str) -> None:
    assert request_key(column) == key


@given(st.text())
def test_every_key_is_safe_and_stays_as_it_is(column: str) -> None:
    key = request_key(column)
    assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", key)
    assert not iskeyword(key)
    assert request_key(key) == key


@pytest.mark.parametrize(
    ("columns", "found"),
    [
        (["fare", "Trip Miles", "größe", "gross"], None),
        (["fare", "fare"], None),
        (["fare", "Trip Miles", "Trip_Miles"], ("Trip Miles", "Trip_Miles")),
        (["Fare", "fare"], ("Fare", "fare")),
        (["a.b", "x", "a-b"], ("a.b", "a-b")),
        (["1st", "arg_1st"], ("1st", "arg_1st")),
        (["self", "self_"], ("self", "self_")),
        ([], None),
    ],
)
def test_columns_that_one_signature_cannot_hold_together(columns: list[str], found: tuple[str, str] | None) -> None:
    assert indistinct(columns) == found
