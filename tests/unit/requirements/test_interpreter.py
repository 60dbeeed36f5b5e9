from __future__ import annotations

import os
import sys
import sysconfig
from pathlib import Path

import pytest
from interpreter import find_interpreter, probe
from machine import TFX_1_16
from setup_error import SetupError

HERE = f"{sys.version_info[0]}.{sys.version_info[1]}"
STACK = TFX_1_16._replace(pythons=(HERE,))
needs_headers = pytest.mark.skipif(
    not Path(sysconfig.get_paths()["include"], "Python.h").exists(),
    reason="no Python.h here: this interpreter is refused",
)


def _script(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def _python(path: Path) -> Path:
    return _script(path, f'exec {sys.executable} "$@"')


def _uv(path: Path, *, offline: bool) -> Path:
    if offline:
        return _script(path, 'echo "error: no route to host" >&2; exit 2')
    return _script(path, f'[ "$2" = install ] || echo {sys.executable}')


@needs_headers
def test_probe_tells_version_and_path_outside_the_virtual_environment() -> None:
    found = probe(sys.executable)

    assert found is not None
    assert (found.version, found.missing) == (HERE, [])
    assert found.path == getattr(sys, "_base_executable", sys.executable)


@pytest.mark.parametrize("text", ["exit 127", "echo 3.10", "exit 0"])
def test_probe_of_something_that_is_no_python(tmp_path: Path, text: str) -> None:
    assert probe(str(_script(tmp_path / "python3", text))) is None


def test_probe_of_nothing(tmp_path: Path) -> None:
    assert probe(str(tmp_path / "absent")) is None


@needs_headers
def test_finds_python_on_path_behind_a_shim_that_fails(tmp_path: Path) -> None:
    shim = _script(tmp_path / "shims" / f"python{HERE}", "echo 'pyenv: command not found' >&2; exit 127")
    real = _python(tmp_path / "bin" / f"python{HERE}")

    found = find_interpreter(STACK, "uv", {"PATH": f"{shim.parent}{os.pathsep}{real.parent}", "HOME": str(tmp_path)})

    assert found.version == HERE


@needs_headers
def test_finds_python_in_the_versions_folder_of_pyenv(tmp_path: Path) -> None:
    _python(tmp_path / "pyenv" / "versions" / f"{HERE}.9" / "bin" / f"python{HERE}")

    found = find_interpreter(STACK, "uv", {"PATH": "", "HOME": "", "PYENV_ROOT": str(tmp_path / "pyenv")})

    assert found.version == HERE


@needs_headers
def test_takes_the_newest_patch_of_pyenv_s_versions(tmp_path: Path) -> None:
    asked = tmp_path / "asked"
    for patch in (9, 18, 10):
        folder = tmp_path / "versions" / f"{HERE}.{patch}" / "bin"
        _script(folder / f"python{HERE}", f'echo {patch} >> {asked}; exec {sys.executable} "$@"')

    find_interpreter(STACK, "uv", {"PATH": "", "HOME": "", "PYENV_ROOT": str(tmp_path)})

    assert asked.read_text().split() == ["18"]


@needs_headers
def test_a_plain_python3_of_the_right_version_will_do(tmp_path: Path) -> None:
    path = _python(tmp_path / "python3").parent

    assert find_interpreter(STACK, "uv", {"PATH": str(path), "HOME": ""}).version == HERE


def test_uv_gets_a_python_where_there_is_none(tmp_path: Path) -> None:
    uv = _uv(tmp_path / "uv", offline=False)

    assert find_interpreter(STACK, str(uv), {"PATH": "", "HOME": ""}).version == HERE


def test_no_python_and_no_way_to_get_one(tmp_path: Path) -> None:
    uv = _uv(tmp_path / "uv", offline=True)

    with pytest.raises(SetupError) as error:
        find_interpreter(STACK, str(uv), {"PATH": "", "HOME": ""})

    assert str(error.value) == (
        f"No Python {HERE} was found on PATH or in pyenv, and uv could not download one.\n"
        "  Received: error: no route to host\n"
        f"  Fix: install one, e.g. apt-get install python{HERE} python{HERE}-dev or pyenv install {HERE}."
    )


def test_a_python_without_its_headers_is_named(tmp_path: Path) -> None:
    answer = f'{{"path": "/opt/python", "version": "{HERE}", "missing": ["Python.h (apt-get install python3-dev)"]}}'
    _script(tmp_path / "bin" / "python3", f"echo '{answer}'")

    with pytest.raises(SetupError, match=r"/opt/python lacks Python.h \(apt-get install python3-dev\); error"):
        find_interpreter(STACK, str(_uv(tmp_path / "uv", offline=True)), {"PATH": str(tmp_path / "bin"), "HOME": ""})
