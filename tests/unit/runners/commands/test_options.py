"""Mistakes in options are told of the option that was typed."""

from __future__ import annotations

import pytest

from runners import cli

TAXI = "configs/taxi.yaml"


@pytest.mark.parametrize(
    ("words", "where", "message"),
    [
        (["run", "--engine", "flimk"], "--engine flimk", "engine.kind must be one of"),
        (["run", "--runner", "air"], "--runner air", "runner.kind must be one of"),
        (["run", "--set", "engine.kind=flimk"], "--set engine.kind=flimk", "engine.kind must be one of"),
        (["infer", "--set", "inference.path=x.csv", "--format", "tsv"], "--format tsv", "inference.format must be"),
        (["infer", "--set", "inference.path=x.csv", "--span", "-1"], "--span -1", "inference.span must be"),
    ],
)
def test_where(words: list[str], where: str, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([words[0], "-c", TAXI, *words[1:]]) != 0
    told = capsys.readouterr().err.splitlines()
    assert told[0].startswith(f"error: {message}")
    assert told[1] == f"  Where: {where}"


@pytest.mark.parametrize(
    "words",
    [
        ["predict", "--url", "http://127.0.0.1:1/v1/models/m", "--input", "configs/taxi_trips.csv"],
        ["doctor"],
        ["release", "list", "--releases", "configs", "--model", "m"],
        ["metadata", "serve", "--url", "sqlite:////proc/none"],
    ],
)
def test_a_setting_of_no_settings_is_refused(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([*words, "--set", "data.path=secret"]) == 1
    told = capsys.readouterr().err.splitlines()
    assert told[:3] == [
        "error: There are no settings that --set could change.",
        "  Where: --set",
        "  Received: data.path",
    ]
    assert "-c FILE" in told[3]
