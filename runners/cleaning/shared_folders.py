"""What lies in a shared pipeline root, seen as the output_dir that it stands for: listed, and removed there."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import replace
from functools import cached_property
from pathlib import Path

from tfx.orchestration.metadata import Metadata

from runners.cleaning.folders import TOLD, Folder, Kind, system_execution
from runners.kubeflow.root.release_files import ReleaseFiles
from runners.kubeflow.root.shared_root import SharedRoot
from runners.run_record import run_records
from schemas.errors import RunError

_DEPTHS = {"artifacts": 4, "prepared": 2, "logs": 2}
"""Parts of the name of a folder that is kept or removed whole: artifacts/<node>/<key>/<execution id>."""
_SYSTEM, _SYSTEM_DEPTH = ".system", 5
"""artifacts/<node>/.system/<kind>/<run id>-<execution id>."""


class SharedFolders:
    """The folders of a shared root.

    Args:
        root: it, with output_dir, which need not be on this machine.
        scratch: an empty folder, which gets the records of the releases.
    """

    def __init__(self, root: SharedRoot, scratch: Path) -> None:
        self._root = root
        self.releases = scratch / "releases"
        ReleaseFiles(SharedRoot(scratch, root.url), "").prepare()

    @cached_property
    def folders(self) -> list[Folder]:
        """As `output_folders` gives those of a disk; listed once."""
        found: dict[str, tuple[float, int]] = {}
        with_more = set()
        for part in _DEPTHS:
            for unit, manifest in self._root.taken(part).items():  # some have no files
                found[unit] = (manifest.modified, 0)
            for name, stat in self._root.store.list(f"{part}/").items():
                if (folder := _unit(name)) is not None:
                    modified, size = found.get(folder, (0.0, 0))
                    found[folder] = (max(modified, stat.modified), size + stat.size)
                    if not name.startswith(f"{folder}/{TOLD}"):
                        with_more.add(folder)
        folders = [self._folder(unit, modified, size) for unit, (modified, size) in sorted(found.items())]
        return [
            replace(one, kind="told") if one.kind == "logs" and self._root.unit(str(one.path)) not in with_more else one
            for one in folders
        ]

    def exists(self, path: str) -> bool:
        """Whether anything of a folder is there.

        Args:
            path: the real path of what stands for it.
        """
        return path in self._real

    def check_unused(self, metadata: Metadata, pipeline: str) -> None:
        """Refuses while a run is going on: nothing that its tasks hold reaches this machine.

        Args:
            metadata: an entered connection.
            pipeline: the pipeline's name.

        Raises:
            RunError: there is one.
        """
        for record in run_records(metadata, pipeline):
            if record.state == "running" and record.orchestrator:
                raise RunError(
                    "A run is using this pipeline root.",
                    where=self._root.url,
                    received=f"run {record.run_id}, since {record.started}",
                    fix="Wait until it ends. One that was deleted there is closed by `scalable-tf kubeflow task end`.",
                )

    def end_removal(self) -> None:
        """Ends what a clean or a task that was killed had begun to delete."""
        self._root.end_forgetting()

    def remove(self, folders: Iterable[str]) -> None:
        """Removes folders, after `mark_deleted`; what is killed meanwhile is ended by the next clean or task.

        Args:
            folders: paths below output_dir that stand for them.

        Raises:
            RunError: the store does not do it.
        """
        for folder in folders:
            unit = self._root.unit(folder)
            if unit is None or unit.split("/")[0] not in _DEPTHS:
                raise ValueError(f"not below {', '.join(_DEPTHS)} of {self._root.folder}: {folder}")
            self._root.forget_all(unit)

    @cached_property
    def _real(self) -> set[str]:
        return {os.path.realpath(folder.path) for folder in self.folders}

    def _folder(self, unit: str, modified: float, size: int) -> Folder:
        part, *names = unit.split("/")
        kind, node, execution = _KINDS[part], "", None
        if part == "artifacts":
            node = names[0]
            if names[1] == _SYSTEM:
                kind, execution = "system", system_execution(names[-1])
            else:
                execution = int(names[-1])
        return Folder(self._root.folder / unit, kind, node, execution, modified, size)


_KINDS: dict[str, Kind] = {"artifacts": "output", "prepared": "prepared", "logs": "logs"}


def _unit(name: str) -> str | None:
    """The folder that an object is of; None where it is of none that we make."""
    parts = name.split("/")
    if parts[0] == "artifacts" and parts[2:3] == [_SYSTEM]:
        return "/".join(parts[:_SYSTEM_DEPTH]) if len(parts) > _SYSTEM_DEPTH else None
    depth = _DEPTHS[parts[0]]
    if len(parts) < depth + (parts[0] != "artifacts"):
        return None
    if parts[0] == "artifacts" and not (parts[3].isascii() and parts[3].isdigit()):
        return None
    return "/".join(parts[:depth])
