"""Where the labels of the releases are."""

from __future__ import annotations

from pathlib import Path

from serving.served_models import ServedModels, labels_of


def labels(root: Path) -> dict[str, int]:
    return labels_of(ServedModels(root).config(), "taxi")
