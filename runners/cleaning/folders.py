"""What lies in an output_dir: artifacts as TFX lays them out, prepared data, and logs.

Artifacts are in <node>/<key>/<execution id>; what their executions need besides is in <node>/.system.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

HIDDEN = ".deleted-"
"""Begins the name of what is being deleted; left over, its process was killed."""

TOLD = ".told-"
"""Begins the name of a note that a webhook was told how a run ended: `.told-OUTCOME-RUN`, beside the folder that a run
which was never begun has not, and in a shared root `RUN/.told-OUTCOME`."""

_SYSTEM = ".system"
_BY_EXECUTION = ("executor_execution", "stateful_working_dir")
_ID = re.compile(r"(?:.*-)?(\d{1,18})", re.ASCII)
"""<execution id> or <run id>-<execution id>."""

Kind = Literal["output", "system", "temporary", "prepared", "logs", "told", "hidden"]


@dataclass(frozen=True)
class Folder:
    """One folder that is kept or removed whole.

    Attributes:
        path: where it is.
        kind: output of an execution; its system folder, such as the one that Trainer's backups are in; temporary, of an
            execution that nothing names; prepared data; logs of a run; notes that are all there is of a run; or hidden.
        node: id of the node; empty where there is none.
        execution: id of the execution, of an output or, where its name tells, a system folder.
        modified: seconds since 1970.
        bytes: of the files below; of a link, those of the link.
    """

    path: Path
    kind: Kind
    node: str
    execution: int | None
    modified: float
    bytes: int


def output_folders(output_dir: Path) -> list[Folder]:
    """The folders of all pipelines, measured; symbolic links are not followed, and neither they nor files are listed.

    But for notes that a webhook was told of a run: these are files.

    Of a large output_dir this takes a while: nothing that others wait for should be held meanwhile.
    """
    return [
        *_artifacts(output_dir / "artifacts"),
        *(_folder(entry, "prepared") for entry in _folders(output_dir / "prepared")),
        *(_folder(entry, "logs") for entry in _folders(output_dir / "logs")),
        *(Folder(path, "told", "", None, path.lstat().st_mtime, 0) for path in (output_dir / "logs").glob(f"{TOLD}*")),
    ]


def system_execution(name: str) -> int | None:
    """The id of the execution that a folder of its own, such as that of Trainer's backups, is named after, or None."""
    found = _ID.fullmatch(name)
    return int(found[1]) if found else None


def _artifacts(artifacts: Path) -> Iterator[Folder]:
    for node in _folders(artifacts):
        if node.name.startswith(HIDDEN):
            yield _folder(node, "hidden")
            continue
        for key in _folders(node.path):
            if key.name == _SYSTEM:
                yield from _system(key, node.name)
            elif key.name.startswith(HIDDEN):
                yield _folder(key, "hidden", node.name)
            else:
                yield from _outputs(key, node.name)


def _size(path: str) -> int:
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
        for entry in _folders(kind.path):
            if kind.name in _BY_EXECUTION:
                yield _folder(entry, "system", node, system_execution(entry.name))
            else:
                yield _folder(entry, "temporary", node)


def _outputs(key: os.DirEntry[str], node: str) -> Iterator[Folder]:
    for entry in _folders(key.path):
        if entry.name.isascii() and entry.name.isdigit():
            yield _folder(entry, "output", node, int(entry.name))
        elif entry.name.startswith(HIDDEN):
            yield _folder(entry, "hidden", node)


def _folder(entry: os.DirEntry[str], kind: Kind, node: str = "", execution: int | None = None) -> Folder:
    if entry.name.startswith(HIDDEN):
        kind, execution = "hidden", None
    return Folder(Path(entry.path), kind, node, execution, _modified(entry), _size(entry.path))


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
