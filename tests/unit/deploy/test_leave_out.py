from __future__ import annotations

from pathlib import Path

import pytest
from setup_error import SetupError

from deploy.leave_out import leave_out


@pytest.fixture
def environment(tmp_path: Path) -> Path:
    packages = tmp_path / "venv" / "lib" / "python3.13" / "site-packages"
    for name in ("a/code.py", "a/tests/test_code.py", "a/b/tests/test_b.py", "a/testing.py", "a/include/a.h"):
        path = packages / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")
    return tmp_path / "venv"


def _patterns(folder: Path, text: str) -> str:
    path = folder / "needless.txt"
    path.write_text(text)
    return str(path)


def _files(environment: Path) -> list[str]:
    packages = environment / "lib" / "python3.13" / "site-packages"
    return sorted(path.relative_to(packages).as_posix() for path in packages.rglob("*") if path.is_file())


def test_takes_out_what_matches_and_nothing_else(environment: Path, tmp_path: Path) -> None:
    leave_out(_patterns(tmp_path, "# why\na/**/tests   # at any depth\n\na/include\n"), str(environment))

    assert _files(environment) == ["a/code.py", "a/testing.py"]


def test_a_pattern_that_matches_nothing_is_an_error(environment: Path, tmp_path: Path) -> None:
    patterns = _patterns(tmp_path, "a/examples\n")

    with pytest.raises(SetupError) as caught:
        leave_out(patterns, str(environment))

    assert str(caught.value) == (
        f"There is nothing to leave out of the image.\n  Received: a/examples in {patterns}\n  Fix: take it out there."
    )
