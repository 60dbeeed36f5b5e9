from __future__ import annotations

import argparse
import contextlib
import json
from pathlib import Path

import pytest
import yaml

from runners.commands import kubeflow
from runners.commands.kubeflow import check, compile
from schemas.errors import SettingsError
from tests.unit.runners.kubeflow.clusters import KFP, ROOT

pytestmark = pytest.mark.slow

SETTINGS = str(ROOT / "configs" / "minimal.yaml")
ON_KFP = ("output_dir=/mnt/stf/minimal", *KFP)


@pytest.fixture(autouse=True)
def _garbage_is_collected(monkeypatch: pytest.MonkeyPatch) -> None:
    """A command keeps its libraries from the garbage collector for good, and this process goes on after it."""
    for module in (check, compile):
        monkeypatch.setattr(module, "libraries", contextlib.nullcontext)


def run(*arguments: str, sets: tuple[str, ...] = ON_KFP) -> int:
    parser = argparse.ArgumentParser()
    kubeflow.add(parser.add_subparsers())
    options = [word for text in sets for word in ("--set", text)]
    parsed = parser.parse_args(["kubeflow", arguments[0], "-c", SETTINGS, *options, *arguments[1:]])
    return int(parsed.run(parsed))


def test_compile_writes_the_package(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "new/minimal.yaml"
    assert run("compile", "-o", str(file)) == 0
    pipeline, platform = yaml.safe_load_all(file.read_text())
    assert pipeline["pipelineInfo"]["name"] == "minimal"
    assert list(platform) == ["platforms"]
    assert str(file) in capsys.readouterr().out


def test_compile_refuses_errors_and_writes_nothing(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="There is no image for the tasks") as raised:
        run("compile", "-o", str(tmp_path / "a.yaml"), sets=())
    assert "output_dir is relative" in str(raised.value)
    assert list(tmp_path.iterdir()) == []


def test_compile_into_a_folder_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SettingsError, match="cannot be written"):
        run("compile", "-o", str(tmp_path / "file/a.yaml"))


@pytest.mark.parametrize("name", ["Taxi", "-taxi", "taxi.", "a" * 64])
def test_a_name_that_kubernetes_refuses_is_told_with_those_that_it_takes(name: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as raised:
        run("compile", "-o", str(tmp_path / "a.yaml"), sets=(*ON_KFP, f"name={name}"))
    assert "such as taxi or taxi-2: up to 63 lower-case letters, digits, - and _" in str(raised.value)
    assert list(tmp_path.iterdir()) == []


def test_check_lists_everything_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("check", "--json", sets=("kubeflow.image=a/b:1",)) == 1
    found = json.loads(capsys.readouterr().out)
    assert {(one["severity"], one["where"]) for one in found} == {
        ("error", "output_dir"),
        ("error", "metadata.url"),
        ("warning", "kubeflow.image"),
    }
    assert all(one["what"] and one["remedy"] for one in found)


def test_warnings_do_not_fail_the_check(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("check", sets=(*ON_KFP, "kubeflow.image=a/b:1")) == 0
    said = capsys.readouterr().out
    assert "warning: The image is named by a tag" in said
    assert "minimal for kfp: 0 errors, 1 warning." in said
