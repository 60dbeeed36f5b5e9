"""The folder of a run in the shared root: its compiled pipeline, its settings, and the logs of its nodes."""

from __future__ import annotations

import os
from collections.abc import Collection

from runners.kubeflow.root.shared_root import SharedRoot
from runners.run_folder import PIPELINE_FILE, SETTINGS_FILE

_LOGS = "logs"


class RunFiles:
    """The files in `logs/<run id>`, which tasks of one run write beside each other, each its own.

    Args:
        root: where they are kept.
        run_id: the run.
    """

    def __init__(self, root: SharedRoot, run_id: str) -> None:
        self._root = root
        self._unit = f"{_LOGS}/{run_id}"
        self._before: dict[str, tuple[int, int]] = {}

    def bring(self, logs: Collection[str] | None = ()) -> None:
        """Brings what the run is; nothing where it was not begun.

        Args:
            logs: names of logs that are brought, too, so that they go on; None: all.
        """
        objects = self._root.store.list(f"{self._unit}/")
        if f"{self._unit}/{SETTINGS_FILE}" not in objects:
            return
        wanted = {f"{self._unit}/{name}" for name in (PIPELINE_FILE, SETTINGS_FILE, *(logs or ()))}
        self._root.bring_files({name: stat for name, stat in objects.items() if logs is None or name in wanted})
        self._before = self._here()

    def take(self) -> None:
        """Takes what is not as it was brought; the settings last, which say that all is there."""
        here = self._here()
        changed = [name for name, looks in here.items() if self._before.get(name) != looks]
        last = f"{self._unit}/{SETTINGS_FILE}"
        self._root.take_files([name for name in changed if name != last])
        self._root.take_files([name for name in changed if name == last])
        self._before = here

    def _here(self) -> dict[str, tuple[int, int]]:
        folder = self._root.folder / self._unit
        stats = {path: os.stat(path) for path in folder.rglob("*") if path.is_file()}
        return {
            path.relative_to(self._root.folder).as_posix(): (found.st_size, found.st_mtime_ns)
            for path, found in stats.items()
        }
