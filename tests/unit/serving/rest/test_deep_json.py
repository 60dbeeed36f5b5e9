from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.rest.deep_json import of_any_python, parse_deep


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


def outcome(parse: Any, text: str) -> object:
    try:
        return repr(parse(text))
    except json.JSONDecodeError as error:
        error = of_any_python(error)
        return error.msg.removesuffix(" in an object"), error.pos


def by_python(text: str) -> Any:
    return json.JSONDecoder().raw_decode(text)[0]


@pytest.mark.parametrize(
    "text", ["", "[1,]", '{"a":1,}', '{"a" 1}', "{1:2}", "[1 2]", '{"a":1 "b"}', '["x', "[1}", "[nul]"]
)
def test_the_same_errors_as_pythons_parser(text: str) -> None:
    assert isinstance(outcome(parse_deep, text), tuple)
    assert outcome(parse_deep, text) == outcome(by_python, text)


@given(st.text('{}[]",:01.e-NaItrue \\n', max_size=12))
def test_the_same_as_pythons_parser(text: str) -> None:
    assert outcome(parse_deep, text) == outcome(by_python, text)


@pytest.mark.slow
@given(st.recursive(st.floats() | st.text(), lambda of: st.lists(of) | st.dictionaries(st.text(), of)))
def test_what_was_written(value: object) -> None:
    assert repr(parse_deep(json.dumps(value, indent=1))) == repr(value)
