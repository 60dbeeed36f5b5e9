"""What lies in a folder of artifacts, as TFX lays it out: <node>/<key>/<execution id> and <node>/.system/..."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

HIDDEN = ".deleted-"
"""Begins the name of what is being deleted; left over, its process was killed."""

_SYSTEM = ".system"
_BY_EXECUTION = "executor_execution"

Kind = Literal["output", "system", "temporary", "hidden"]


@dataclass(frozen=True)
class Folder:
    """One folder that is kept or removed whole.

    Attributes:
        path: where it is.
        kind: output of an execution; its system folder; temporary, of an execution that nothing names; or hidden.
        node: id of the node.
        execution: id of the execution, of an output or a system folder.
        modified: seconds since 1970.
    """

    path: Path
    kind: Kind
    node: str
    execution: int | None
    modified: float


def artifact_folders(artifacts: Path) -> Iterator[Folder]:
    """The folders of all pipelines; symbolic links are not followed, and neither they nor files are listed."""
    for node in _folders(artifacts):
        if node.name.startswith(HIDDEN):
            yield _folder(node, "hidden", "")
            continue
        for key in _folders(node.path):
            if key.name.startswith(HIDDEN):
                yield _folder(key, "hidden", node.name)
            elif key.name == _SYSTEM:
                yield from _system(key, node.name)
            else:
                yield from _numbered(key, "output", node.name)


def size(path: Path) -> int:
    """Bytes of the files below a folder; of a link, those of the link."""
    total = 0
    for parent, _, files in os.walk(path):
        for name in files:
            try:
                total += os.lstat(os.path.join(parent, name)).st_size
            except FileNotFoundError:
                continue
    return total


def _system(folder: os.DirEntry[str], node: str) -> Iterator[Folder]:
    for kind in _folders(folder.path):
        if kind.name == _BY_EXECUTION:
            yield from _numbered(kind, "system", node)
        else:
            for entry in _folders(kind.path):
                yield _folder(entry, "hidden" if entry.name.startswith(HIDDEN) else "temporary", node)


def _numbered(folder: os.DirEntry[str], kind: Kind, node: str) -> Iterator[Folder]:
    for entry in _folders(folder.path):
        if entry.name.startswith(HIDDEN):
            yield _folder(entry, "hidden", node)
        elif entry.name.isascii() and entry.name.isdigit():
            yield _folder(entry, kind, node, int(entry.name))


def _folder(entry: os.DirEntry[str], kind: Kind, node: str, execution: int | None = None) -> Folder:
    return Folder(Path(entry.path), kind, node, execution, _modified(entry))


def _folders(path: str | Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(path) as entries:
            found = [entry for entry in entries if entry.is_dir(follow_symlinks=False)]
    except (FileNotFoundError, NotADirectoryError):
        return []
    return sorted(found, key=lambda entry: (len(entry.name), entry.name))


def _modified(entry: os.DirEntry[str]) -> float:
    try:
        return entry.stat(follow_symlinks=False).st_mtime
    except FileNotFoundError:  # a run is going on, and this is only a dry run
        return math.inf
