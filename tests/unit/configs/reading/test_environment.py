from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from configs.reading.environment import UndefinedVariableError, escape, expand

ENVIRONMENT = {"A": "1", "EMPTY": "", "NESTED": "${A}$$"}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("${A}", "1"),
        ("x${A}y${A}", "x1y1"),
        ("${B:-two}", "two"),
        ("${EMPTY:-two}", "two"),
        ("${EMPTY}", ""),
        ("${B:-}", ""),
        ("${A:-two}", "1"),
        ("$${A}", "${A}"),
        ("$$$${A}", "$${A}"),
        ("$$${A}", "$1"),
        ("a$b $ $", "a$b $ $"),
        ("${NESTED}", "${A}$$"),
        ("", ""),
    ],
)
def test_expand(text: str, value: str) -> None:
    assert expand(text, ENVIRONMENT) == value


@pytest.mark.parametrize("text", ["${", "${}", "${1A}", "${A", "${A B}", "${A-b}"])
def test_a_reference_without_a_name_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match="not followed by the name"):
        expand(text, ENVIRONMENT)


def test_a_variable_that_is_not_set_is_named() -> None:
    with pytest.raises(UndefinedVariableError) as caught:
        expand("${A}${MISSING}", ENVIRONMENT)
    assert caught.value.name == "MISSING"


@given(st.text("${}A:-x"))
def test_escaped_text_expands_to_itself(text: str) -> None:
    assert expand(escape(text), {}) == text
