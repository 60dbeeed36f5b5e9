from __future__ import annotations

import json
import math
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.rest.deep_json import parse_deep


def test_lists_in_objects_in_lists() -> None:
    assert parse_deep('[1, {"a": [], "b": {"c": [true, null]}, "": {}} ,"x"] rest') == [
        1,
        {"a": [], "b": {"c": [True, None]}, "": {}},
        "x",
    ]


def test_any_depth() -> None:
    value = parse_deep('[{"a":' * 20_000 + "1" + "}]" * 20_000)
    for _ in range(20_000):
        value = value[0]["a"]
    assert value == 1


@pytest.mark.parametrize(
    ("text", "value", "length"),
    [
        ("Inf", math.inf, 3),
        ("-Infinity1", -math.inf, 9),
        ("[1e5]", [100000.0], 5),
        ("-0", 0, 2),
        ("18446744073709551616", 18446744073709551616, 20),
        (r'"\ud83d\ude00\/"', "\U0001f600/", 16),
    ],
)
def test_numbers_words_and_strings(text: str, value: object, length: int) -> None:
    assert parse_deep(f"{text[:length]} rest") == value


# As RapidJSON 1.1.0 says, at the places where it says it.
@pytest.mark.parametrize(
    ("text", "message", "place"),
    [
        ("", "The document is empty.", 0),
        ("]", "The document is empty.", 0),
        ("[1,]", "Invalid value.", 3),
        ("[,1]", "Invalid value.", 1),
        ("[", "Invalid value.", 1),
        ("[1 2]", "Missing a comma or ']' after an array element.", 3),
        ("[1}", "Missing a comma or ']' after an array element.", 2),
        ("[01]", "Missing a comma or ']' after an array element.", 2),
        ('{"a":1 "b"}', "Missing a comma or '}' after an object member.", 7),
        ('{"a":1,}', "Missing a name for object member.", 7),
        ("{1:2}", "Missing a name for object member.", 1),
        ('{"a" 1}', "Missing a colon after a name of object member.", 5),
        ('["x', "Missing a closing quotation mark in string.", 3),
        ('["x\t"]', "Invalid escape character in string.", 3),
        ('["x\\y"]', "Invalid escape character in string.", 3),
        ('["\\u12g4"]', "Incorrect hex digit after \\u escape in string.", 2),
        ('["\\ud800"]', "The surrogate pair in string is invalid.", 2),
        ('["\\ud800\\u0041"]', "The surrogate pair in string is invalid.", 2),
        ('["\\ud800\\u00"]', "Incorrect hex digit after \\u escape in string.", 2),
        ('["a\\ud83d\\ude00\\udc00"]', "The surrogate pair in string is invalid.", 15),
        ("[1.0, ...]", "Invalid value.", 6),
        ("[12...]", "Miss fraction part in number.", 4),
        ("[1.]", "Miss fraction part in number.", 3),
        ("[1e+]", "Miss exponent in number.", 4),
        ("[-]", "Invalid value.", 2),
        ("[nul]", "Invalid value.", 4),
        ("[None]", "Invalid value.", 2),
        ("[-Infinit]", "Invalid value.", 9),
        ("[1e400]", "Number too big to be stored in double.", 1),
        (f"[{'9' * 5000}]", "Number too big to be stored in double.", 1),
    ],
    ids=lambda value: str(value)[:30],
)
def test_faults(text: str, message: str, place: int) -> None:
    with pytest.raises(json.JSONDecodeError) as error:
        parse_deep(text)
    assert (error.value.msg, error.value.pos) == (message, place)


def outcome(parse: Any, text: str) -> str:
    try:
        return repr(parse(text))
    except json.JSONDecodeError:
        return "fault"


def by_python(text: str) -> Any:
    return json.JSONDecoder().raw_decode(text)[0]


@given(st.text('{}[]",:01.e-NaItrue \\n', max_size=12))
def test_the_same_as_pythons_parser(text: str) -> None:
    found, pythons = outcome(parse_deep, text), outcome(by_python, text)
    # Python reads no -NaN, and takes the 1 of `1.` or `1e` for a number with something after it.
    assert found == pythons or "-NaN" in text or (found == "fault" and re.search("[0-9][.e]", text))


@pytest.mark.slow
@given(st.recursive(st.floats() | st.text(), lambda of: st.lists(of) | st.dictionaries(st.text(), of)))
def test_what_was_written(value: object) -> None:
    assert repr(parse_deep(json.dumps(value, indent=1))) == repr(value)
