from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import environment
import pytest

REQUIREMENTS = Path(environment.__file__).parent
MODULES = sorted(REQUIREMENTS.glob("*.py"))


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.name)
def test_every_module_parses_on_the_oldest_python_it_runs_on(module: Path) -> None:
    ast.parse(module.read_text(), feature_version=(3, 6))


def test_the_entry_parses_on_pythons_that_it_refuses() -> None:
    tree = ast.parse((REQUIREMENTS / "bootstrap.py").read_text(), feature_version=(3, 4))

    assert [type(node).__name__ for node in ast.walk(tree) if isinstance(node, (ast.JoinedStr, ast.AnnAssign))] == []


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.name)
def test_only_the_standard_library_and_its_neighbours_are_imported(module: Path) -> None:
    neighbours = {path.stem for path in MODULES}
    imported = set()
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Import):
            imported |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add((node.module or "").split(".")[0])

    assert imported - neighbours <= sys.stdlib_module_names


def test_what_the_machine_lacks_is_told_without_a_traceback(tmp_path: Path) -> None:
    project = tmp_path / "project"
    (project / "requirements").mkdir(parents=True)
    for path in [*REQUIREMENTS.glob("*.py"), *REQUIREMENTS.glob("*.txt")]:
        (project / "requirements" / path.name).write_text(path.read_text())
    done = subprocess.run(
        [sys.executable, project / "requirements" / "bootstrap.py"],
        env={"PATH": str(tmp_path), "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
    )

    assert done.returncode == 2
    assert done.stderr == (
        "error: A C++ compiler is needed: pyfarmhash, which TFX depends on, comes as source only.\n"
        "  Received: no gcc and g++ on PATH\n"
        "  Fix: apt-get install g++ python3-dev (dnf install gcc-c++ python3-devel), then call again.\n"
    )
    assert not (project / ".venv").exists()
