"""What a folder of predictions says of itself, as JSON."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

MANIFEST = "_manifest.json"
"""Its name; what reads a folder of Parquet or CSV passes over names with an underscore."""


@dataclass(frozen=True)
class Manifest:
    """Where predictions come from, and what is in their files.

    Attributes:
        model: `uri`, `digest` of its files, and `release`, the version that has the same files, or None.
        data: `examples`, their URI, with their `span` and `fingerprint`, that of the files that were read.
        rows: `read` from the data, `rejected` there, and `predicted`: as many as are left.
        columns: their names and Arrow types, in their order.
        classes: names of the classes, in the order of the probabilities; empty where the model predicts no classes.
        signature: of the model.
        format: of the files.
        files: their names, in the order of the rows, with `rows` and `sha256`.
    """

    model: dict[str, Any]
    data: dict[str, Any]
    rows: dict[str, int]
    columns: dict[str, str]
    classes: list[str]
    signature: str
    format: str
    files: dict[str, dict[str, Any]]

    def save(self, folder: Path) -> None:
        """Writes it into the folder."""
        (folder / MANIFEST).write_text(json.dumps(asdict(self), indent=2, allow_nan=False) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Manifest:
        """Reads it back.

        Raises:
            OSError, ValueError, TypeError: the folder has none, or another one.
        """
        return cls(**json.loads((folder / MANIFEST).read_text(encoding="utf-8")))


def checksum(path: str) -> str:
    """SHA-256 of a file, in hex."""
    with open(path, "rb") as file:
        digest = hashlib.sha256()
        while block := file.read(1 << 20):
            digest.update(block)
        return digest.hexdigest()
