"""The folder of a run in the shared root: its compiled pipeline, its settings, and the logs of its nodes."""

from __future__ import annotations

import logging
import os
from collections.abc import Collection
from functools import partial

from runners.kubeflow.root.object_store import Stat
from runners.kubeflow.root.shared_root import SharedRoot
from runners.kubeflow.root.transfers import transfer_all
from runners.run_folder import PIPELINE_FILE, SETTINGS_FILE
from schemas.errors import RunError

_LOG = logging.getLogger(__name__)
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

    def bring(self, more: Collection[str] = ()) -> None:
        """Brings what the run is; nothing where it was not begun.

        Args:
            more: names of files that are brought, too, where they are there, such as a log that goes on.

        Raises:
            RunError: the store or the disk does not do it.
        """
        objects = self._root.store.list(f"{self._unit}/")
        if f"{self._unit}/{SETTINGS_FILE}" not in objects:
            return
        wanted = {f"{self._unit}/{name}" for name in (PIPELINE_FILE, SETTINGS_FILE, *more)}
        self._root.bring_files({name: stat for name, stat in objects.items() if name in wanted})
        self._before = self._here()

    def bring_logs(self) -> None:
        """Brings the logs of the nodes; of one that does not come it is said so, for a run is a run without them."""
        logs = {name: stat for name, stat in self._root.store.list(f"{self._unit}/").items() if name.endswith(".log")}
        transfer_all([partial(self._bring_log, name, stat) for name, stat in logs.items()])

    def _bring_log(self, name: str, stat: Stat) -> None:
        try:
            self._root.bring_files({name: stat})
        except RunError as error:
            _LOG.warning("A log could not be brought: %s", error)

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
