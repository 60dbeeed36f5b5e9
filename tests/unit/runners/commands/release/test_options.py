"""Options of all actions: whose releases are meant, and values that are refused."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from runners.cli import main


@pytest.mark.parametrize("options", [[], ["--releases", "x"], ["--model", "x"], ["-c", "x", "--releases", "x"]])
def test_whose_releases_must_be_clear(options: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["release", "list", *options]) == 1
    assert "Whose releases is not clear" in capsys.readouterr().err


def test_a_model_is_named_by_its_name_alone(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["release", "list", "--releases", "x", "--model", "../taxi"]) == 1
    assert "This names no model" in capsys.readouterr().err


@pytest.mark.parametrize(
    "options",
    [
        ["promote", "1", "--server", "localhost"],
        ["promote", "1", "--settle-seconds", "-1"],
        ["canary", "1", "--percent", "100"],
        ["canary", "1", "--percent", "ten"],
        ["canary", "1", "--watch-seconds", "ten"],
        ["rollback", "--to"],
    ],
)
def test_a_wrong_option_is_told_by_the_parser(options: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["release", *options, "--releases", "x", "--model", "taxi"])
    assert end.value.code == 2
    assert re.search(
        rf"argument {options[-2] if len(options) > 2 else options[-1]}: (must be|expected)", capsys.readouterr().err
    )


def test_a_misspelt_model_or_folder_is_told_with_the_nearest_and_what_there_is(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = f"{root}/../releases"
    assert main(["release", "verify", "--releases", given, "--model", "tazi"]) == 1
    assert capsys.readouterr().err == (
        f"error: No model of this name is released in {root}.\n"
        "  Where: --model\n  Received: tazi\n  Fix: Did you mean taxi? There are: taxi.\n"
    )
    assert main(["release", "list", "--releases", f"{root}/none", "--model", "taxi"]) == 1
    assert f"Received: {root}/none\n" in capsys.readouterr().err


def test_what_is_above_a_folder_is_looked_for_where_its_link_leads(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "link").symlink_to(root / "taxi")
    for given in (f"{tmp_path}/elsewhere/link/..", f"{tmp_path}/elsewhere/link/1/../..", f"{root}/taxi/../../releases"):
        assert main(["release", "list", "--releases", given, "--model", "taxi"]) == 0
        assert "run-1" in capsys.readouterr().out


def test_a_model_without_releases(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options: list[Any] = ["--releases", str(tmp_path), "--model", "taxi"]
    assert main(["release", "list", *options]) == 0
    assert "No version of taxi is released" in capsys.readouterr().out
    assert main(["release", "promote", "1", *options]) == 1
    assert "Versions: none; labels: none." in capsys.readouterr().err
