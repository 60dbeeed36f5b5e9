"""What the committed locks promise; `make lock` writes them."""

from __future__ import annotations

import re
from pathlib import Path

import machine
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

REQUIREMENTS = Path(machine.__file__).parent
STACKS = [stack.name for stack in machine.STACKS]
LOCKS = ["build", *STACKS, *(f"{name}-dev" for name in STACKS)]


def _pinned(name: str) -> dict[str, set[str]]:
    """Version or, by marker, versions of each package in a lock."""
    pins: dict[str, set[str]] = {}
    for match in re.finditer(r"^([a-z0-9._-]+)==([^ ]+)", (REQUIREMENTS / f"{name}.txt").read_text(), re.MULTILINE):
        pins.setdefault(match[1], set()).add(match[2])
    return pins


def _asked(name: str) -> dict[str, Requirement]:
    lines = (REQUIREMENTS / f"{name}.in").read_text().splitlines()
    found = [Requirement(line) for line in lines if line and not line.startswith("#")]
    return {canonicalize_name(requirement.name): requirement for requirement in found}


@pytest.mark.parametrize("name", LOCKS)
def test_every_package_has_hashes(name: str) -> None:
    text = (REQUIREMENTS / f"{name}.txt").read_text()
    unhashed = [line for line in text.splitlines() if "==" in line and not line.endswith("\\")]

    assert (unhashed, "--hash=sha256:" in text) == ([], True)


@pytest.mark.parametrize("name", LOCKS)
def test_the_header_says_how_to_make_it_anew(name: str) -> None:
    assert (REQUIREMENTS / f"{name}.txt").read_text().splitlines()[1] == "#    make lock"


@pytest.mark.parametrize("stack", STACKS)
def test_tests_run_on_what_the_product_ships(stack: str) -> None:
    product, dev = _pinned(stack), _pinned(f"{stack}-dev")

    assert {name: dev.get(name) for name in product} == product


@pytest.mark.parametrize("stack", STACKS)
@pytest.mark.parametrize("source", ["base", "dev"])
def test_what_is_asked_for_is_in_the_lock(stack: str, source: str) -> None:
    pins = _pinned(f"{stack}-dev")
    unmet = {
        name: pins.get(name)
        for name, requirement in {**_asked(source), **_asked(stack)}.items()
        if not all(requirement.specifier.contains(version) for version in pins.get(name, {""}) if version)
        or name not in pins
    }

    assert unmet == {}


@pytest.mark.parametrize("tool", ["hypothesis", "import-linter", "mypy", "pytest", "pytest-timeout", "ruff"])
def test_tools_are_the_same_on_both_stacks(tool: str) -> None:
    old, new = (_pinned(f"{name}-dev")[tool] for name in STACKS)

    assert old == new
