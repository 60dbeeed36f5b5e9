"""What a manager of the model `half` serves, and has copied."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from serving.server.manager import ModelManager

Manage = Callable[[str], ModelManager]


def served(manager: ModelManager) -> int:
    with manager.lease("half") as servable:
        assert servable.run("serving_default", {"x": np.array([[2.0]], np.float32)})["y"].tolist() == [[3.0]]
        return servable.version


def held(copies: Path) -> list[str]:
    """Versions of which there are copies."""
    return sorted(path.name.partition("-")[2] for path in copies.glob("scalable-tf-models-*/*") if path.is_dir())
