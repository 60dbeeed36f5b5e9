from __future__ import annotations

import importlib.metadata
import sys
from pathlib import Path

import machine

from runners.locked_versions import STACKS, compare_with_lock

STACK = STACKS[f"{sys.version_info[0]}.{sys.version_info[1]}"]
PYDANTIC = importlib.metadata.version("pydantic")


def _lock(folder: Path, *lines: str) -> Path:
    (folder / f"{STACK}.txt").write_text("# made by hand\n" + "\n".join(f"{line} \\\n    --hash=x" for line in lines))
    return folder


def test_this_environment_is_as_locked() -> None:
    comparison = compare_with_lock()

    assert comparison.differences == ()
    assert f"TensorFlow {importlib.metadata.version('tensorflow')}" in comparison.summary


def test_another_version_and_a_missing_package_are_differences(tmp_path: Path) -> None:
    lock = _lock(tmp_path, f"pydantic=={PYDANTIC}", "rich==0.0.1", "no-such-package==1.0")

    assert compare_with_lock(lock).differences == (
        f"rich {importlib.metadata.version('rich')} (locked: 0.0.1)",
        "no-such-package is missing (locked: 1.0)",
    )


def test_a_package_for_other_machines_is_no_difference(tmp_path: Path) -> None:
    lock = _lock(tmp_path, f"pydantic=={PYDANTIC}", "no-such-package==1.0 ; sys_platform == 'win32'")

    assert compare_with_lock(lock).differences == ()


def test_without_a_lock_the_main_packages_must_be_there(tmp_path: Path) -> None:
    comparison = compare_with_lock(tmp_path)

    assert comparison.differences == ()
    assert comparison.summary.endswith("no lock to compare with")


def test_stacks_are_those_of_the_set_up() -> None:
    assert {python: stack.name for stack in machine.STACKS for python in stack.pythons} == STACKS
