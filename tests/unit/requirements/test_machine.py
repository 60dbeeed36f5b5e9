from __future__ import annotations

import platform
from pathlib import Path

import machine
import pytest
from machine import check_compiler, check_disk, choose_stack, glibc_version
from setup_error import SetupError


@pytest.mark.parametrize(
    ("glibc", "stack"),
    [((2, 28), "tfx-1.16"), ((2, 36), "tfx-1.16"), ((2, 38), "tfx-1.16"), ((2, 39), "tfx-1.21"), ((2, 41), "tfx-1.21")],
)
def test_glibc_decides_the_stack(glibc: tuple[int, int], stack: str) -> None:
    assert choose_stack("Linux", "x86_64", glibc).name == stack


@pytest.mark.parametrize(
    ("system", "architecture", "glibc", "received"),
    [
        ("Linux", "x86_64", (2, 27), "glibc 2.27"),
        ("Linux", "x86_64", None, "another C library, such as musl"),
        ("Linux", "aarch64", (2, 39), "Linux on aarch64"),
        ("Darwin", "x86_64", None, "Darwin on x86_64"),
    ],
)
def test_a_machine_without_a_stack_is_told_so(
    system: str, architecture: str, glibc: tuple[int, int] | None, received: str
) -> None:
    with pytest.raises(SetupError) as error:
        choose_stack(system, architecture, glibc)

    assert f"Received: {received}\n  Fix: use Debian 11 or newer" in str(error.value)


def test_glibc_version_agrees_with_the_interpreter_s_own_finding() -> None:
    assert ".".join(map(str, glibc_version() or ())) == platform.libc_ver()[1]


def test_too_little_disk_names_the_place_and_what_is_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "NEEDED_BYTES", 10**18)

    with pytest.raises(SetupError, match=f"(?s)needs 1000000000 GB.*GB free at {tmp_path}\n.*UV_CACHE_DIR"):
        check_disk(str(tmp_path), str(tmp_path / "cache"))


def test_disk_of_a_cache_that_is_not_there_yet_is_that_of_its_parent(tmp_path: Path) -> None:
    check_disk(str(tmp_path), str(tmp_path / "not" / "there"))


def test_no_compiler_names_the_packages_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(SetupError, match=r"no gcc and g\+\+ on PATH\n  Fix: apt-get install g\+\+ python3-dev"):
        check_compiler()
