from __future__ import annotations

from serving.rest.deep_json import parse_deep
from serving.rest.value_text import value_text


def test_lists_on_one_line_and_members_on_lines_of_their_own() -> None:
    assert value_text({"a": [1.5, float("nan"), {}], "b": {"c": "\u00fc"}}) == (
        '{\n    "a": [1.5, NaN, {}],\n    "b": {\n        "c": "\u00fc"\n    }\n}'
    )


def test_what_is_long_or_deep_is_cut() -> None:
    assert value_text(list(range(1_000_000))).startswith("[0, 1, 2, 3, ")
    for value in (list(range(1_000_000)), "x" * 5000, {"k" * 5000: 1}, parse_deep("[" * 10_000 + "]" * 10_000)):
        assert len(value_text(value)) == 256
