"""Settings of the smoke check."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from configs.smoke_check import SmokeCheck


def test_a_command_has_a_place_for_the_model_and_for_both_ports() -> None:
    command = ("serve", "--at={model_dir}", "{grpc_port}:8500", "{rest_port}", "{{literally}}")
    assert SmokeCheck(command=command).command == command


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["serve", "{model_dir}", "{grpc_port}"], "must name {rest_port}"),
        (
            ["{model_dir}", "{grpc_port}", "{rest_port}", "{host}"],
            "may have {model_dir}, .* in braces",
        ),
        (["{model_dir}", "{grpc_port:x}", "{rest_port}"], "in braces and nothing else"),
        (["{model_dir}", "{grpc_port}", "{rest_port}", "{"], "has a brace that is none of a name"),
    ],
)
def test_a_command_that_could_not_be_started(words: list[str], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        SmokeCheck(command=tuple(words))
