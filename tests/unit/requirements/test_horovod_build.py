"""The real steps, with an interpreter that writes down what pip is asked: the compilation itself is not the matter."""

from __future__ import annotations

from pathlib import Path

import pytest
from horovod_build import ensure_horovod
from setup_error import SetupError

# Refuses to build where the file `refuse` stands beside it; has a TensorFlow without headers where `bare` does.
PYTHON = """#!/bin/sh
here=$(dirname "$0")
[ "$1 $2" = "-m pip" ] && echo "$3" >> "$here/asked"
case "$*" in
    *"-m pip wheel"*)
        [ -e "$here/refuse" ] && echo "no member named that" && exit 1
        for last in "$@"; do :; done
        touch "$last/horovod-0.28.1-cp310-cp310-linux_x86_64.whl";;
    *"-m pip install"*) touch "$here/installed";;
    *importlib.metadata*) echo "[\\"2.16.2\\", \\"cpython-310\\", $([ -e "$here/bare" ] && echo false || echo true)]";;
    *gloo_built*) [ -e "$here/installed" ];;
esac
"""


@pytest.fixture
def python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "bin"
    folder.mkdir()
    for name, text in {"python": PYTHON, "cmake": "", "g++": "", "make": ""}.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    return folder / "python"


def asked(python: Path) -> list[str]:
    found = python.with_name("asked")
    lines = found.read_text().split() if found.exists() else []
    found.unlink(missing_ok=True)
    return lines


def test_it_is_built_and_installed_and_a_second_call_does_nothing(python: Path, tmp_path: Path) -> None:
    ensure_horovod(str(python), str(tmp_path / "cache"))
    assert asked(python) == ["wheel", "install"]

    ensure_horovod(str(python), str(tmp_path / "cache"))
    assert asked(python) == []


def test_another_environment_takes_the_wheel_that_was_built(python: Path, tmp_path: Path) -> None:
    ensure_horovod(str(python), str(tmp_path / "cache"))
    asked(python)
    python.with_name("installed").unlink()

    ensure_horovod(str(python), str(tmp_path / "cache"))

    assert asked(python) == ["install"]


def test_without_a_compiler(python: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(python.parent))
    for tool in ("cmake", "g++"):
        python.with_name(tool).unlink()
    with pytest.raises(SetupError) as caught:
        ensure_horovod(str(python), str(tmp_path / "cache"))
    assert caught.value.received == "no cmake and no g++ on PATH"
    assert caught.value.fix.startswith("apt-get install cmake g++ make")


def test_without_tensorflows_headers(python: Path, tmp_path: Path) -> None:
    python.with_name("bare").touch()
    with pytest.raises(SetupError, match="This TensorFlow has no C\\+\\+ headers to build against"):
        ensure_horovod(str(python), str(tmp_path / "cache"))
    assert asked(python) == []


def test_a_build_that_fails_leaves_its_log_and_nothing_else(python: Path, tmp_path: Path) -> None:
    python.with_name("refuse").touch()
    with pytest.raises(SetupError, match="cannot be built for TensorFlow 2.16.2") as caught:
        ensure_horovod(str(python), str(tmp_path / "cache"))
    (log,) = (tmp_path / "cache").glob("*/*")
    assert caught.value.received == f"see {log}"
    assert log.read_text() == "no member named that\n"
