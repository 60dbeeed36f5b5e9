from __future__ import annotations

import sys
from pathlib import Path

import pytest

from configs.paths import resolve
from schemas.errors import SettingsError


@pytest.fixture(autouse=True)
def _packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package that cannot be imported, a namespace package in two folders, and a module of one file."""
    for name in ("stfpkg/data/a.csv", "one/stfspace/x/a.csv", "two/stfspace/y/b.csv"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text("")
    (tmp_path / "stfpkg/__init__.py").write_text("raise AssertionError('imported')")
    (tmp_path / "stffile.py").write_text("raise AssertionError('imported')")
    monkeypatch.setattr(sys, "path", [str(tmp_path), str(tmp_path / "one"), str(tmp_path / "two"), *sys.path])
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/home/me")


def test_paths(tmp_path: Path) -> None:
    here = str(tmp_path)
    assert resolve("a/*.csv") == f"{here}/a/*.csv"
    assert resolve("../a.csv") == f"{tmp_path.parent}/a.csv"
    assert resolve("/a/{SPAN}/*.csv") == "/a/{SPAN}/*.csv"
    assert resolve("~/a.csv") == "/home/me/a.csv"
    assert resolve("file:///a/b.csv") == "/a/b.csv"


@pytest.mark.parametrize("uri", ["s3://bucket/a//b", "gs://bucket/*", "hdfs://host:9000/a", "https://host/a.csv"])
def test_a_remote_uri_is_left_alone(uri: str) -> None:
    assert resolve(uri) == uri


def test_a_file_in_a_package_is_found_without_importing_it(tmp_path: Path) -> None:
    assert resolve("package:stfpkg/data/a.csv") == f"{tmp_path}/stfpkg/data/a.csv"
    assert resolve("package:stfpkg/data/*.csv") == f"{tmp_path}/stfpkg/data/*.csv"
    assert "stfpkg" not in sys.modules


def test_the_folder_of_a_namespace_package_is_the_one_with_the_path(tmp_path: Path) -> None:
    assert resolve("package:stfspace/x/a.csv") == f"{tmp_path}/one/stfspace/x/a.csv"
    assert resolve("package:stfspace/y/b.csv") == f"{tmp_path}/two/stfspace/y/b.csv"
    assert resolve("package:stfspace/y/{SPAN}.csv") == f"{tmp_path}/two/stfspace/y/{{SPAN}}.csv"


def test_a_file_that_is_not_there_is_for_its_reader_to_notice(tmp_path: Path) -> None:
    assert resolve("package:stfpkg/none.csv") == f"{tmp_path}/stfpkg/none.csv"


def test_a_package_that_is_not_installed_names_the_nearest() -> None:
    with pytest.raises(SettingsError, match="no installed module 'stfpgk'") as caught:
        resolve("package:stfpgk/data/a.csv")
    assert caught.value.fix.startswith("Did you mean 'stfpkg'?")
    assert caught.value.received == "package:stfpgk/data/a.csv"


@pytest.mark.parametrize(
    "path", ["package:stfpkg", "package:stfpkg/", "package:stfpkg/../a", "package:stfpkg//a", "package:"]
)
def test_a_path_that_is_not_in_a_package(path: str) -> None:
    with pytest.raises(SettingsError, match="package:NAME/FILE"):
        resolve(path)


@pytest.mark.parametrize(
    ("name", "what"), [("stffile", "module of one file"), ("sys", "built into"), ("a-b", "no installed")]
)
def test_a_module_without_files(name: str, what: str) -> None:
    with pytest.raises(SettingsError, match=what):
        resolve(f"package:{name}/a.csv")
