"""What `data.prepare` and queries gave, in the shared root: brought when it is asked for, and kept as on a volume."""

from __future__ import annotations

import os
from pathlib import Path

from runners.kubeflow.root.object_store import Stat
from runners.kubeflow.root.shared_root import SharedRoot

_FOLDER = "prepared"
_KEPT = ".fingerprint"


class PreparedFiles:
    """The folders in `prepared/`.

    Args:
        root: where they are kept.
    """

    def __init__(self, root: SharedRoot) -> None:
        self._root = root
        self._there: dict[str, Stat] = {}
        self._waiting: set[str] = set()

    def prepare(self) -> None:
        """Makes an empty folder for each, as old as it is: a query's results are replaced by name and age."""
        self._there = self._root.taken(_FOLDER)
        self._waiting = set(self._there)
        for unit, manifest in self._there.items():
            folder = self._root.folder / unit
            folder.mkdir(parents=True, exist_ok=True)
            os.utime(folder, (manifest.modified, manifest.modified))

    def fetch(self, folder: Path) -> None:
        """Fills one of those folders; one that is not whole any more stays empty, and is made anew."""
        unit = self._root.unit(str(folder))
        if unit in self._waiting:
            self._waiting.remove(unit)
            if self._root.is_whole(unit):
                self._root.bring([unit])

    def take(self) -> None:
        """Takes what was made, notes what was used, and lets go of what is gone here and was not taken anew there."""
        folder = self._root.folder / _FOLDER
        here = {
            f"{_FOLDER}/{path.name}": path
            for path in (folder.iterdir() if folder.is_dir() else ())
            if path.is_dir() and not path.name.startswith(".")
        }
        self._root.take([unit for unit, path in here.items() if (path / _KEPT).is_file()])
        for unit in sorted(self._there.keys() - here.keys()):
            self._root.forget(unit, seen=self._there[unit])
