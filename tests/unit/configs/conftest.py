from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

SMALL = """\
name: small
output_dir: out
data:
  path: data.csv
features:
  fare: {kind: numeric}
  company: {kind: categorical}
label: {kind: binary, expression: tips > 0.2 * fare}
evaluation:
  thresholds:
    auc: {lower: 0.6}
"""


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Writes a settings file into the current directory: by default a small one that is right, with lines added."""
    monkeypatch.chdir(tmp_path)

    def _write(more: str = "", *, name: str = "a.yaml", base: str = SMALL) -> Path:
        Path(name).write_text(base + more, encoding="utf-8")
        return Path(name)

    return _write
