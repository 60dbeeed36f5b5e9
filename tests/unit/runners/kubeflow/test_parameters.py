"""Parameters of a pipeline, from words of the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from google.protobuf import json_format
from kfp.pipeline_spec import pipeline_spec_pb2

from runners.kubeflow.parameters import all_parameters, given_parameters, service_account
from runners.kubeflow.specification import Specification
from schemas.errors import RunError


@pytest.fixture(scope="module")
def specification() -> Specification:
    parameters = {
        "word": {"parameterType": "STRING", "defaultValue": "you", "isOptional": True},
        "steps": {"parameterType": "NUMBER_INTEGER"},
        "rate": {"parameterType": "NUMBER_DOUBLE", "isOptional": True},
        "fast": {"parameterType": "BOOLEAN", "isOptional": True},
        "names": {"parameterType": "LIST", "isOptional": True},
    }
    content = {"root": {"inputDefinitions": {"parameters": parameters}}, "pipelineInfo": {"name": "p"}}
    return Specification(Path("p.yaml"), b"", json_format.ParseDict(content, pipeline_spec_pb2.PipelineSpec()), {})


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("steps=100", 100),
        ("rate=1", 1.0),
        ("rate=1e-3", 0.001),
        ("fast=true", True),
        ('names=["a"]', ["a"]),
        ("word=a=b", "a=b"),
        ("word=", ""),
    ],
)
def test_a_value_gets_its_type(specification: Specification, word: str, value: Any) -> None:
    found = given_parameters(specification, ["steps=1", word])[word.partition("=")[0]]

    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["steps"], "A parameter is NAME=VALUE"),
        (["step=1"], "Did you mean steps?"),
        (["steps=1.5"], "must be a whole number"),
        (["steps=true"], "must be a whole number"),
        (["steps=1", "rate=NaN"], "must be a number"),
        (["steps=1", "fast=yes"], "must be true or false"),
        (["steps=1", "names=a,b"], "must be a list in JSON"),
        ([], "needs a parameter that has no default"),
        (["steps=1", "word=@/no/such/file"], "cannot be read"),
    ],
)
def test_mistakes(specification: Specification, words: list[str], told: str) -> None:
    with pytest.raises(RunError) as caught:
        given_parameters(specification, words)

    assert told in str(caught.value)


def test_a_value_from_a_file(specification: Specification, tmp_path: Path) -> None:
    file = tmp_path / "word"
    file.write_text("from a file")

    assert given_parameters(specification, ["steps=1", f"word=@{file}"])["word"] == "from a file"


def test_defaults_fill_up(specification: Specification) -> None:
    expected = {"fast": None, "names": None, "rate": None, "steps": 1, "word": "you"}

    assert all_parameters(specification, {"steps": 1}) == expected


def with_settings(text: str) -> Specification:
    parameters = {"settings": {"parameterType": "STRING", "defaultValue": text, "isOptional": True}}
    content = {"root": {"inputDefinitions": {"parameters": parameters}}, "pipelineInfo": {"name": "p"}}
    return Specification(Path("p.yaml"), b"", json_format.ParseDict(content, pipeline_spec_pb2.PipelineSpec()), {})


def test_the_account_of_the_settings() -> None:
    compiled = with_settings('{"kubeflow": {"service_account": "trainer"}}')

    assert service_account(compiled, {}) == "trainer"
    assert service_account(compiled, {"settings": "{}"}) is None
    assert service_account(with_settings("no JSON"), {}) is None
