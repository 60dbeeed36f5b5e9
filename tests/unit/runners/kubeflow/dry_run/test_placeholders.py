"""Placeholders, against what the launcher of KFP 2.15 makes of them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from runners.kubeflow.dry_run.placeholders import constant, substitute, text_of
from schemas.errors import RunError

INPUT: dict[str, Any] = {
    "inputs": {
        "parameterValues": {"word": "a b", "steps": 3.0, "rate": 0.001, "on": True, "list": [1.0, "x"], "none": None},
        "artifacts": {"model": {"artifacts": [{"uri": "s3://bucket/m", "path": "/s3/bucket/m"}]}},
    },
    "outputs": {
        "parameters": {"score": {"outputFile": "/tmp/kfp/outputs/score"}},
        "artifacts": {
            "report": {"artifacts": [{"uri": "minio://b/report", "path": "/minio/b/report", "name": "report"}]}
        },
        "outputFile": "/minio/b/output_metadata.json",
    },
}


def substituted(*arguments: str) -> list[str]:
    return substitute(arguments, INPUT, "task t")


@pytest.mark.parametrize(
    ("argument", "expected"),
    [
        ("{{$.inputs.parameters['word']}}", "a b"),
        ("--steps={{$.inputs.parameters['steps']}},{{$.inputs.parameters['rate']}}", "--steps=3,0.001"),
        ("{{$.inputs.parameters['on']}}", "true"),
        ("{{$.inputs.parameters['list']}}", '[1,"x"]'),
        ("{{$.inputs.artifacts['model'].uri}}", "s3://bucket/m"),
        ("{{$.inputs.artifacts['model'].path}}", "/s3/bucket/m"),
        ("{{$.outputs.artifacts['report'].path}}", "/minio/b/report"),
        ("{{$.outputs.parameters['score'].output_file}}", "/tmp/kfp/outputs/score"),
        ("no placeholder, {{braces}}", "no placeholder, {{braces}}"),
    ],
)
def test_a_placeholder_is_replaced(argument: str, expected: str) -> None:
    assert substituted(argument) == [expected]


def test_the_whole_input_is_json_without_what_the_backend_does_not_write() -> None:
    (text,) = substituted("{{$}}")

    found = json.loads(text)
    assert found["inputs"]["parameterValues"]["steps"] == 3
    assert found["outputs"]["artifacts"]["report"]["artifacts"] == [{"uri": "minio://b/report", "name": "report"}]
    assert '"steps":3,' in text


@pytest.mark.parametrize(
    ("argument", "expected"),
    [
        (
            '{"IfPresent": {"InputName": "word", "Then": ["--word", "{{$.inputs.parameters[\'word\']}}"]}}',
            ["--word", "a b"],
        ),
        ('{"IfPresent": {"InputName": "absent", "Then": ["--word"], "Else": "--none"}}', ["--none"]),
        ('{"IfPresent": {"InputName": "none", "Then": ["--word"]}}', []),
    ],
)
def test_an_argument_that_depends_on_an_input(argument: str, expected: list[str]) -> None:
    assert substituted("first", argument) == ["first", *expected]


@pytest.mark.parametrize(
    "argument",
    [
        "{{$.pipeline_job_uuid}}",
        "--run={{$.pipeline_job_name}}",
        "{{$.inputs.parameters['absent']}}",
        "{{$.inputs.parameters['word'].json_escape[1]}}",
        "{{$.outputs.artifacts['report'].name}}",
    ],
)
def test_what_the_backend_does_not_replace_is_an_error(argument: str) -> None:
    with pytest.raises(RunError, match="hands this placeholder on as it stands"):
        substituted(argument)


def test_a_concat_is_an_error() -> None:
    with pytest.raises(RunError, match="does not join a Concat"):
        substituted('{"Concat": ["a", "b"]}')


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (-1.0, "-1"),
        (0.1, "0.1"),
        (1e21, "1000000000000000000000"),
        (1.5e-7, "0.00000015"),
        (0.0, "0"),
        (False, "false"),
    ],
)
def test_numbers_are_written_as_go_writes_them(value: Any, expected: str) -> None:
    assert text_of(value) == expected


def test_a_constant_is_replaced_only_as_a_whole() -> None:
    run = {"pipeline_job_uuid": "1234"}

    assert constant("{{$.pipeline_job_uuid}}", run) == "1234"
    assert constant("run-{{$.pipeline_job_uuid}}", run) == "run-{{$.pipeline_job_uuid}}"
    assert constant(3.0, run) == 3.0
