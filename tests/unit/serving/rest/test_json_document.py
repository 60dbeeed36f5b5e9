from __future__ import annotations

import math

import pytest

from serving.rest import json_document
from serving.rest.json_document import parse_document, require_finite_numbers
from serving.rest.too_large import TooLargeError
from serving.server.request_error import RequestError


def test_numbers_keep_their_kind_and_all_their_digits() -> None:
    found = parse_document(b'{"a": [1, 1.0, 18446744073709551615, -9223372036854775808, 1e3]}')["a"]
    assert found == [1, 1.0, 18446744073709551615, -9223372036854775808, 1000.0]
    assert [type(value) for value in found] == [int, float, int, int, float]


def test_the_tokens_of_numbers_that_are_none() -> None:
    nan, up, down = parse_document(b'{"a": [NaN, Infinity, -Infinity]}')["a"]
    assert math.isnan(nan)
    assert (up, down) == (math.inf, -math.inf)


def test_the_tokens_that_only_rapidjson_knows() -> None:
    found = parse_document(b'{"a": [Inf, -Inf, {"b": -NaN}, "Inf", Infinity]}')["a"]
    assert found[:2] == [math.inf, -math.inf]
    assert math.isnan(found[2]["b"])
    assert found[3:] == ["Inf", math.inf]
    require_finite_numbers(b'{"a": [Inf]}')


def test_a_byte_order_mark_is_skipped() -> None:
    assert parse_document(b'\xef\xbb\xbf{"a": 1}') == {"a": 1}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "JSON Parse error: The document is empty"),
        (b" \n", "JSON Parse error: The document is empty. at offset: 2"),
        (b"instances = [1, 2]", "JSON Parse error: Invalid value. at offset: 0"),
        (b'{"a" 1}', "JSON Parse error: Missing a colon after a name of object member. at offset: 5"),
        (b'{"a": [1 2]}', "JSON Parse error: Missing a comma or ']' after an array element. at offset: 9"),
        (b'{"a": 1 "b": 2}', "JSON Parse error: Missing a comma or '}' after an object member. at offset: 8"),
        (b"{1: 2}", "JSON Parse error: Missing a name for object member. at offset: 1"),
        (b'{"a": "\xff"}', "JSON Parse error: Invalid encoding in string. at offset: 7"),
        ('{"\u00e4": x}'.encode(), "JSON Parse error: Invalid value. at offset: 7"),
        (b'{"a": ' + b"9" * 5000 + b"}", "JSON Parse error: Number too big to be stored in double. at offset: 6"),
        (b'{"a": [Inf, Infinit]}', "JSON Parse error: Invalid value. at offset: 19"),
        (b'\xef\xbb\xbf{"a": x}', "JSON Parse error: Invalid value. at offset: 9"),
        (b"\xef\xbb\xbf", "JSON Parse error: The document is empty. at offset: 3"),
        (b'{"a": "\\ud800"}', "JSON Parse error: The surrogate pair in string is invalid. at offset: 7"),
        (
            b'{"a": ["' + b"x" * 70_000 + b'" "y"]}',
            "JSON Parse error: Missing a comma or ']' after an array element. at offset: 70010",
        ),
        (b"[1]", "JSON Value: [1] Is not object"),
        (b"null", "JSON Value: null Is not object"),
        (b"[" * 100_000, "JSON Parse error: Invalid value. at offset: 100000"),
        (b'{"a":' * 1000 + b"1", "object member. at offset: 5001"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_what_is_no_document(body: bytes, message: str) -> None:
    with pytest.raises(RequestError) as error:
        parse_document(body)
    assert error.value.code.name == "INVALID_ARGUMENT"
    assert error.value.message.endswith(message)


def test_what_follows_the_document_is_not_looked_at() -> None:
    assert parse_document(b' {"a": 1} x') == {"a": 1}


def test_depth_is_no_fault() -> None:
    found = parse_document(b'{"b": 1, "a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}")
    assert found["b"] == 1


@pytest.mark.parametrize("body", [b'{"a":[' + b"[]," * 11, b'{"a":[' + b"0," * 21, b'{"a":[' + b'"",' * 16])
def test_a_document_of_too_many_elements_is_not_parsed(body: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_document, "MAX_CONTAINERS", 10)
    monkeypatch.setattr(json_document, "MAX_STRINGS", 15)
    monkeypatch.setattr(json_document, "MAX_ELEMENTS", 20)
    with pytest.raises(TooLargeError):
        parse_document(body)


def test_a_number_beyond_double_is_not_the_token_infinity() -> None:
    require_finite_numbers(b'{"a": Infinity}')
    require_finite_numbers(b'{"a": Infinity, "b": ' + b"[" * 100_000 + b"]" * 100_000 + b"}")
    with pytest.raises(RequestError, match="Number too big"):
        require_finite_numbers(b'{"a": [Infinity, -1e400]}')
