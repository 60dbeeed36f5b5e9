"""Folders of models to serve."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path


@dataclass
class Models:
    """Folders of models: `half` in version n answers x / 2 + n, unless it is said otherwise."""

    folder: Path
    exported: Path

    def release(self, version: int, name: str = "half", source: str = "", *, broken: bool = False) -> Path:
        staging = self.folder / name / ".staging"
        shutil.copytree(self.exported / (source or f"plus_{version}"), staging)
        if broken:
            (staging / "saved_model.pb").write_bytes(b"broken")
        return staging.rename(self.folder / name / str(version))

    def option(self, name: str = "half") -> str:
        return f"--model={name}={self.folder / name}"
