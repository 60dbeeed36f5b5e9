from __future__ import annotations

import os
import sys

import pytest

from distribution.python_path import python_path


def test_only_what_another_interpreter_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    inside = os.path.join(sys.prefix, "lib", "extensions")
    monkeypatch.setattr(sys, "path", ["", "/of/the/user", inside, "/of/another"])
    assert python_path() == os.pathsep.join(["/of/the/user", "/of/another"])
