from __future__ import annotations

import math

import pytest

from serving.rest.deep_json import parse_deep
from serving.rest.value_text import value_text


def test_lists_on_one_line_and_members_on_lines_of_their_own() -> None:
    assert value_text({"a": [1.5, True, {}, None], "b": {"c": "\u00fc"}}) == (
        '{\n    "a": [1.5, true, {}, null],\n    "b": {\n        "c": "\u00fc"\n    }\n}'
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1e20, "100000000000000000000.0"),
        (1e21, "1e21"),
        (-1.25e30, "-1.25e30"),
        (123.25, "123.25"),
        (1.5e-6, "0.0000015"),
        (1.5e-7, "1.5e-7"),
        (0.0, "0.0"),
        (-0.0, "-0.0"),
        (100.0, "100.0"),
        (2**64 - 1, "18446744073709551615"),
        (2**65, "36893488147419103000.0"),
        ('\x1f\n"\\/\x7f', '"\\u001F\\n\\"\\\\/\x7f"'),
    ],
)
def test_numbers_and_strings_as_rapidjson_writes_them(value: object, text: str) -> None:
    assert value_text(value) == text


def test_nothing_follows_what_is_no_number() -> None:
    assert value_text({"a": [1, math.nan, 2], "b": 3}) == '{\n    "a": [1, '
    assert value_text(math.inf) == ""
    assert value_text({"a": [1, 10**400]}) == '{\n    "a": [1, '


def test_nothing_begins_after_256_bytes() -> None:
    assert value_text(["x" * 300, 1]) == f'["{"x" * 300}"'
    assert value_text(["\u00fc" * 200, 1]) == f'["{chr(0xFC) * 200}"'
    assert value_text({"k" * 5000: 1}) == f'{{\n    "{"k" * 5000}"'
    numbers = value_text(list(range(1_000_000)))
    assert numbers.startswith("[0, 1, 2, 3, ")
    assert numbers.endswith(", 66")  # the first that ends after 256
    assert value_text(parse_deep("[" * 10_000 + "]" * 10_000)) == "[" * 256
