"""Folders of files that are made once and kept: each is there as a whole, or not at all.

A folder is made beside its place and renamed into it when its files are on the disk. What a process that was killed
leaves is never taken for a whole one, and the next one removes it.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from components.example_gen.files import list_files
from components.example_gen.fingerprint import fingerprint
from configs.data import Source
from schemas.errors import DataError

_STAGING = ".staging-"
_LOCK = ".lock"
_FINGERPRINT = ".fingerprint"
_fetches: list[Callable[[Path], None]] = []


@contextmanager
def fetched_by(fetch: Callable[[Path], None]) -> Iterator[None]:
    """Within it, in processes forked there too, a kept folder is fetched from elsewhere when it is asked for.

    Args:
        fetch: takes the folder's place, and fills it where it is kept.
    """
    _fetches.append(fetch)
    try:
        yield
    finally:
        _fetches.pop()


def is_whole(folder: Path, written: Source) -> bool:
    """Whether a kept folder is there, with the files that were kept.

    Args:
        folder: its place.
        written: format of its files.
    """
    for fetch in _fetches:
        fetch(folder)
    try:
        return (folder / _FINGERPRINT).read_text() == fingerprint(list_files(str(folder), written))
    except (DataError, OSError):
        return False


@contextmanager
def alone(parent: Path) -> Iterator[None]:
    """One process at a time; the kernel drops the lock when its holder ends, however it ends.

    Args:
        parent: holds the kept folders; made where it is not there.
    """
    parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(parent / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def staging(parent: Path) -> Iterator[Path]:
    """An empty folder to write into, which is gone afterwards unless it was kept; only within `alone`.

    Args:
        parent: holds the kept folders.
    """
    # The lock is held: whatever is still being staged belongs to a process that died.
    for left in parent.glob(f"{_STAGING}*"):
        shutil.rmtree(left)
    empty = parent / f"{_STAGING}new"
    empty.mkdir()
    try:
        yield empty
    finally:
        for left in parent.glob(f"{_STAGING}*"):
            shutil.rmtree(left, ignore_errors=True)


def keep(staged: Path, folder: Path, files: tuple[str, ...]) -> None:
    """Gives what was staged its place.

    Args:
        staged: of `staging`.
        folder: its place; what is there is replaced.
        files: that were written.
    """
    (staged / _FINGERPRINT).write_text(fingerprint(files))
    for path in (*staged.rglob("*"), staged):
        _sync(path)
    if folder.exists():  # but is not whole any more
        folder.rename(folder.with_name(f"{_STAGING}old-{folder.name}"))
    staged.rename(folder)
    _sync(folder.parent)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
