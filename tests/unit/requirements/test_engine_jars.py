"""The real steps, with a Maven that writes down what it is asked and copies one jar for each engine."""

from __future__ import annotations

from pathlib import Path

import engine_jars
import pytest
from engine_jars import checksums, get_jars, jars_folder
from setup_error import SetupError

# Says why and fails where the file `refuse` stands beside it; gives another jar where `other` does.
MAVEN = """#!/bin/sh
here=$(dirname "$0")
echo "$*" >> "$here/asked"
[ -e "$here/refuse" ] && echo "[ERROR] Could not transfer artifact" && exit 1
for argument in "$@"; do
    case "$argument" in -DoutputDirectory=*) folder=${argument#*=};; esac
done
mkdir -p "$folder"
[ -e "$here/other" ] && echo changed > "$folder/a.jar" || echo jar > "$folder/a.jar"
exit 0
"""


@pytest.fixture
def bin_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "mvn").write_text(MAVEN)
    (folder / "mvn").chmod(0o755)
    return folder


@pytest.fixture
def environ(bin_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """With the checksums of the one jar recorded for both engines."""
    recorded = tmp_path / "recorded"
    recorded.mkdir()
    (tmp_path / "jars").mkdir()
    (tmp_path / "jars" / "a.jar").write_text("jar\n")
    for engine in engine_jars.ENGINES:
        text = Path(engine_jars.__file__).with_name("engines").joinpath(f"{engine}.xml").read_text()
        (recorded / f"{engine}.xml").write_text(text)
        (recorded / f"{engine}.sha256").write_text("\n".join(checksums(str(tmp_path / "jars"))) + "\n")
    monkeypatch.setattr(engine_jars, "_HERE", str(recorded))
    return {"PATH": f"{bin_folder}:/usr/bin:/bin", "XDG_CACHE_HOME": str(tmp_path / "cache")}


def asked(bin_folder: Path) -> list[str]:
    found = bin_folder / "asked"
    lines = found.read_text().splitlines() if found.exists() else []
    found.unlink(missing_ok=True)
    return lines


def left(environ: dict[str, str]) -> list[str]:
    return sorted(path.name for path in Path(engine_jars.engines_folder(environ)).iterdir() if path.name != "lock")


def test_they_are_got_once_and_a_second_call_does_nothing(environ: dict[str, str], bin_folder: Path) -> None:
    get_jars(environ)
    flink, spark = asked(bin_folder)
    assert flink.startswith("-q -B -C -Dbeam=2.62.0 -Dflink=1.19 dependency:copy-dependencies")
    assert spark.startswith("-q -B -C -Dbeam=2.62.0 -Dspark=3.5.0 dependency:copy-dependencies")
    assert left(environ) == ["flink-1.19-beam-2.62.0", "spark-3.5.0-beam-2.62.0"]
    assert Path(jars_folder("flink", environ), "a.jar").read_text() == "jar\n"

    get_jars(environ)
    assert asked(bin_folder) == []


def test_a_jar_that_was_not_recorded_is_refused_and_nothing_is_left(environ: dict[str, str], bin_folder: Path) -> None:
    (bin_folder / "other").touch()
    with pytest.raises(SetupError, match="jars of Flink are not those that were recorded") as caught:
        get_jars(environ)
    assert caught.value.received == "a.jar"
    assert left(environ) == []


def test_other_versions_are_mavens_matter(environ: dict[str, str], bin_folder: Path) -> None:
    (bin_folder / "other").touch()
    get_jars({**environ, "BEAM_VERSION": "2.70.0", "FLINK_VERSION": "1.20"})
    assert asked(bin_folder)[0].startswith("-q -B -C -Dbeam=2.70.0 -Dflink=1.20 ")
    assert left(environ) == ["flink-1.20-beam-2.70.0", "spark-3.5.0-beam-2.70.0"]


def test_without_maven(environ: dict[str, str], tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="put together by Maven") as caught:
        get_jars({**environ, "PATH": str(tmp_path)})
    assert caught.value.received == "no mvn on PATH"
    assert caught.value.fix.startswith("install it and Java 17 (Debian: apt-get install maven openjdk-17-jdk-headless)")


def test_what_maven_says_is_shown(environ: dict[str, str], bin_folder: Path) -> None:
    (bin_folder / "refuse").touch()
    with pytest.raises(SetupError, match="Maven could not get the job server of Flink") as caught:
        get_jars(environ)
    assert caught.value.received == "[ERROR] Could not transfer artifact"
    assert left(environ) == []


def test_too_little_disk(environ: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_jars, "_NEEDED_BYTES", 10**18)
    with pytest.raises(SetupError, match="need 1000000000 GB of disk"):
        get_jars(environ)


@pytest.mark.parametrize("engine", engine_jars.ENGINES)
def test_checksums_of_the_named_versions_are_recorded(engine: str) -> None:
    lines = Path(engine_jars.__file__).with_name("engines").joinpath(f"{engine}.sha256").read_text().splitlines()
    beam = engine_jars.versions(engine, {})["beam"]
    assert any(line.split()[1].startswith(f"beam-runners-{engine}") and beam in line for line in lines)
    assert all(len(line.split()[0]) == 64 for line in lines)


def test_they_are_in_the_users_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ada")
    assert engine_jars.engines_folder({}) == "/home/ada/.cache/scalable-tensorflow/engines"
    assert engine_jars.engines_folder({"XDG_CACHE_HOME": "/fast"}) == "/fast/scalable-tensorflow/engines"
