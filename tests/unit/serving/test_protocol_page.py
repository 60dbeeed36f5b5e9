"""docs/serving-protocol.md names tests that there are."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
FOLDERS = {"int": "tests/integration", "unit": "tests/unit/serving"}


def test_the_page_names_tests_that_there_are() -> None:
    text = (ROOT / "docs/serving-protocol.md").read_text()
    names = []
    for line in text.splitlines():
        path = Path()
        for folder, file, test in re.findall(r"(?:\b(int|unit)/([\w/]+\.py))?::(test_\w+)", line):
            path = ROOT / FOLDERS[folder] / file if folder else path
            names.append((path, test))
    assert len(names) > 80
    missing = [(str(path), test) for path, test in names if f"def {test}(" not in path.read_text()]
    assert not missing
