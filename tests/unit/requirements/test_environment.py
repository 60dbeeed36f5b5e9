"""The real steps with a uv that writes down what it is asked: the packages themselves are not the matter here."""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import environment
import pytest
from environment import ensure_environment, is_ready
from machine import stack_of_this_machine
from setup_error import SetupError
from uv_tool import VERSION

REQUIREMENTS = Path(environment.__file__).parent
STACK = stack_of_this_machine()
pytestmark = pytest.mark.skipif(
    not (shutil.which("g++") and Path(sysconfig.get_paths()["include"], "Python.h").exists()),
    reason="no g++ or no Python.h here: the set-up refuses such a machine",
)

# Refuses to sync where the file `refuse` stands beside it.
UV = f"""#!/bin/sh
[ "$1" = --version ] && echo uv {VERSION} && exit
echo "$1 $2" >> "$(dirname "$0")/asked"
for last in "$@"; do :; done
case "$1 $2" in
    venv*) mkdir -p "$last/bin"; touch "$last/pyvenv.cfg"; ln -s {sys.executable} "$last/bin/python";;
    "pip sync") echo " + one-package==1.0" >&2; echo "Installed" >&2; [ ! -e "$(dirname "$0")/refuse" ];;
esac
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "project"
    for name in (f"requirements/{STACK.name}-dev.txt", "requirements/build.txt", "setup.py", "configs/version.py"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)
    for module in REQUIREMENTS.glob("*.py"):
        (root / "requirements" / module.name).write_text(module.read_text())
    uv = tmp_path / "bin" / "uv"
    uv.parent.mkdir()
    uv.write_text(UV)
    uv.chmod(0o755)
    monkeypatch.setenv("PATH", f"{uv.parent}:{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin")
    return root


def _asked(project: Path) -> list[str]:
    asked = project.parent / "bin" / "asked"
    lines = asked.read_text().splitlines() if asked.exists() else []
    asked.unlink(missing_ok=True)
    return [line.replace("venv --quiet", "venv") for line in lines]


def test_first_call_makes_the_environment_with_the_packages_and_the_project(project: Path) -> None:
    ensure_environment(str(project))

    assert _asked(project) == ["venv", "pip sync", "pip install"]
    assert is_ready(str(project), STACK)


def test_second_call_does_nothing(project: Path) -> None:
    ensure_environment(str(project))
    _asked(project)

    ensure_environment(str(project))

    assert _asked(project) == []


@pytest.mark.parametrize(
    "name", [f"requirements/{STACK.name}-dev.txt", "requirements/build.txt", "setup.py", "configs/version.py"]
)
def test_a_change_brings_it_up_to_date_in_place(project: Path, name: str) -> None:
    ensure_environment(str(project))
    _asked(project)
    (project / name).write_text("changed")

    ensure_environment(str(project))

    assert _asked(project) == ["pip sync", "pip install"]


def test_a_moved_project_is_brought_up_to_date(project: Path) -> None:
    ensure_environment(str(project))
    moved = project.rename(project.parent / "moved")

    assert not is_ready(str(moved), STACK)


def test_a_removed_interpreter_makes_it_anew(project: Path) -> None:
    ensure_environment(str(project))
    _asked(project)
    python = project / ".venv" / "bin" / "python"
    python.unlink()
    python.symlink_to(project / "removed")

    ensure_environment(str(project))

    assert _asked(project) == ["venv", "pip sync", "pip install"]


def test_an_installation_that_broke_off_is_made_anew(project: Path) -> None:
    refuse = project.parent / "bin" / "refuse"
    refuse.touch()
    with pytest.raises(SetupError, match="(?s)could not be installed.*exit code 1 of pip sync"):
        ensure_environment(str(project))
    _asked(project)
    refuse.unlink()

    ensure_environment(str(project))

    assert _asked(project) == ["venv", "pip sync", "pip install"]


def test_an_environment_made_by_hand_is_taken_over(project: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", project / ".venv"], check=True)

    ensure_environment(str(project))

    assert _asked(project) == ["pip sync", "pip install"]


def test_a_folder_that_is_no_environment_is_left_alone(project: Path) -> None:
    (project / ".venv").mkdir()
    (project / ".venv" / "precious").touch()

    with pytest.raises(SetupError, match="not a virtual environment"):
        ensure_environment(str(project))
    assert (project / ".venv" / "precious").exists()


def test_two_at_once_install_once(project: Path) -> None:
    command = [sys.executable, project / "requirements" / "bootstrap.py"]
    both = [subprocess.Popen(command, stderr=subprocess.PIPE) for _ in range(2)]

    for process in both:
        process.communicate()

    assert [process.returncode for process in both] == [0, 0]
    assert _asked(project) == ["venv", "pip sync", "pip install"]


def test_what_uv_says_is_shown_without_its_list_of_packages(project: Path) -> None:
    command = [sys.executable, project / "requirements" / "bootstrap.py"]
    done = subprocess.run(command, capture_output=True, text=True)

    assert done.stdout == ""
    assert done.stderr.splitlines()[-2:] == ["  Installed", "set-up: done"]
    assert "one-package" not in done.stderr
