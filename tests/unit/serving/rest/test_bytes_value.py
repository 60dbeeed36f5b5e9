from __future__ import annotations

from typing import Any

import pytest

from serving.rest.bytes_value import bytes_of, is_base64
from serving.server.request_error import RequestError


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("\u00fc", b"\xc3\xbc"),
        ("", b""),
        ({"b64": "aGVsbG8="}, b"hello"),
        ({"b64": "aGVsbG8"}, b"hello"),
        ({"b64": " aGV\nsbG8= "}, b"hello"),
        ({"b64": "/+8="}, b"\xff\xef"),
        ({"b64": ""}, b""),
        ({"b64": "aGVsbG8."}, b"hello"),
        ({"b64": "aA= ="}, b"h"),
    ],
)
def test_bytes(value: Any, found: bytes) -> None:
    assert bytes_of(value) == found


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"b64": "a"}, "Unable to base64 decode"),
        ({"b64": "a-_="}, "Unable to base64 decode"),
        ({"b64": "a==="}, "Unable to base64 decode"),
        ({"b64": "aGVsbG8=="}, "Unable to base64 decode"),
        ({"b64": "aA="}, "Unable to base64 decode"),
        ({"b64": "aA==aA=="}, "Unable to base64 decode"),
        ({"b64": "="}, "Unable to base64 decode"),
        ({"b64": 1}, 'JSON Value: {\n    "b64": 1\n} not formatted correctly for base64 data'),
        ({"b64": "", "x": 1}, 'JSON Value: {\n    "b64": "",\n    "x": 1\n} not formatted correctly for base64 data'),
        ("\ud800", "JSON Parse error: The surrogate pair in string is invalid. at offset: 0"),
    ],
)
def test_what_stands_for_no_bytes(value: Any, message: str) -> None:
    with pytest.raises(RequestError) as error:
        bytes_of(value)
    assert error.value.message == message


def test_only_an_object_of_one_string_is_base64() -> None:
    assert is_base64({"b64": "x"})
    assert not any(map(is_base64, ({"b64": 1}, {"b64": "x", "c": 1}, {"B64": "x"}, "x", ["b64"])))
