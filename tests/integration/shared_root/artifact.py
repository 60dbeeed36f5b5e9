"""An artifact that a task makes on its own disk."""

from __future__ import annotations

from runners.kubeflow.root.shared_root import SharedRoot

UNIT = "artifacts/Trainer/model/7"


def write(root: SharedRoot, **files: bytes) -> None:
    for name, content in files.items():
        path = root.folder / UNIT / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
