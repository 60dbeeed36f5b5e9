"""The locks of a move: those of all folders whose models the servers are told of."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from serving.directory_lock import FILE_NAME as LOCK
from serving.directory_lock import directory_lock
from serving.served_models import FILE_NAME


@contextlib.contextmanager
def release_locks(root: Path, keep: Iterable[str]) -> Iterator[None]:
    """Holds the lock of a folder of releases, and those of the folders that the models to keep are released in.

    A server takes a config of all its models. Without the others' locks, a label of one of those that another command
    moves at the same time would be moved back on the server by this one, which has read it a moment before.

    Args:
        root: folder of all released models of whoever moves a label.
        keep: as `kept_models` takes it. A folder that is none here, that has nothing from `scalable-tf release`, or
            that may not be written to, has no lock.

    Raises:
        ReleaseError: another process holds one of them for too long.
        OSError: `root` cannot be written to.
    """
    found = {}
    for folder in (*filter(_is_released, map(_folder, keep)), root):
        status = folder.stat()
        found[status.st_ino, status.st_dev] = folder
    with contextlib.ExitStack() as locks:
        # All commands in the same order, by numbers that all machines see: or two would wait for each other.
        for _, folder in sorted(found.items()):
            try:
                locks.enter_context(directory_lock(folder))
            except OSError:
                if folder == root:
                    raise
        yield


def _folder(option: str) -> Path:
    """That models.config would be in."""
    _, _, folder = option.partition("=")
    return Path(folder or option).absolute().parent


def _is_released(folder: Path) -> bool:
    return (folder / FILE_NAME).is_file() or (folder / LOCK).is_file()
