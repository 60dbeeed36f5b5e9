from __future__ import annotations

from pathlib import Path

import engine_jars
import pytest

from runners.java import VERSIONS, jars, java
from schemas.errors import SetupError


def install(folder: Path, *lines: str) -> Path:
    """A java that says this of its version, and its home."""
    binary = folder / "bin" / "java"
    binary.parent.mkdir(parents=True)
    said = "".join(f"echo '{line}' >&2\n" for line in lines)
    binary.write_text(f"#!/bin/sh\n{said}")
    binary.chmod(0o755)
    return folder


@pytest.mark.parametrize("version", ["11.0.2", "17.0.15", "21", "25-ea"])
def test_a_java_of_path(tmp_path: Path, version: str) -> None:
    home = install(tmp_path, f'openjdk version "{version}" 2025-04-15', "OpenJDK Runtime Environment")
    assert java({"PATH": f"/nowhere:{home}/bin"}) == f"{home}/bin/java"


def test_java_home_is_asked_first(tmp_path: Path) -> None:
    old, new = install(tmp_path / "old", 'java version "1.8.0_392"'), install(tmp_path / "new", 'java version "17"')
    assert java({"PATH": f"{old}/bin", "JAVA_HOME": str(new)}) == f"{new}/bin/java"


def test_no_java(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="needs Java") as caught:
        java({"PATH": str(tmp_path)})
    assert caught.value.received == "no java on PATH"
    assert "apt-get install openjdk-17-jre-headless" in caught.value.fix


def test_a_java_home_without_java(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="needs Java") as caught:
        java({"JAVA_HOME": str(tmp_path)})
    assert caught.value.received == f"{tmp_path}/bin/java"


@pytest.mark.parametrize(
    ("lines", "received"),
    [
        (['openjdk version "1.8.0_392"', "OpenJDK Runtime"], 'openjdk version "1.8.0_392"'),
        (['java version "10"'], 'java version "10"'),
        ([], "no version"),
        (["Error: no libjvm"], "Error: no libjvm"),
    ],
    ids=["8", "10", "silent", "broken"],
)
def test_a_java_that_is_too_old_or_does_not_run(tmp_path: Path, lines: list[str], received: str) -> None:
    home = install(tmp_path, *lines)
    with pytest.raises(SetupError, match="Java is too old") as caught:
        java({"JAVA_HOME": str(home)})
    assert (caught.value.where, caught.value.received) == (f"{home}/bin/java", received)
    assert "Install Java 11 or newer" in caught.value.fix


def test_jars_are_where_make_engines_puts_them(tmp_path: Path) -> None:
    made = {engine: engine_jars.jars_folder(engine, {"XDG_CACHE_HOME": str(tmp_path)}) for engine in VERSIONS}
    for engine, folder in made.items():
        Path(folder).mkdir(parents=True)
        (Path(folder) / f"beam-runners-{engine}-1.jar").touch()
    assert {engine: str(jars(engine, None, {"XDG_CACHE_HOME": str(tmp_path)})) for engine in VERSIONS} == made


def test_jars_of_somebody_else(tmp_path: Path) -> None:
    (tmp_path / "beam-runners-spark-3-job-server-2.70.0.jar").touch()
    assert jars("spark", str(tmp_path), {}) == tmp_path


def test_no_jars(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="The job server of Flink is not there") as caught:
        jars("flink", None, {"XDG_CACHE_HOME": str(tmp_path)})
    assert caught.value.where == f"{tmp_path}/scalable-tensorflow/engines/{VERSIONS['flink']}"
    assert caught.value.received == "no beam-runners-flink*.jar"
    assert caught.value.fix.startswith("Run `make engines` once, or set engine.flink.jars")


def test_jars_of_another_engine_are_none(tmp_path: Path) -> None:
    (tmp_path / "beam-runners-spark-3-2.62.0.jar").touch()
    with pytest.raises(SetupError, match="The job server of Flink is not there"):
        jars("flink", str(tmp_path), {})
