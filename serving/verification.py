"""Whether the files of a released version are those that release.json names."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from schemas.errors import ReleaseError
from serving import saved_model
from serving.release import FILE_NAME, Release


@dataclass(frozen=True)
class Fault:
    """Something that is not as it was released.

    Attributes:
        path: of the file, relative to the version's folder.
        kind: changed, missing, added, or unreadable.
        message: a sentence about it.
    """

    path: str
    kind: Literal["changed", "missing", "added", "unreadable"]
    message: str


def verify(directory: Path, version: int) -> tuple[Fault, ...]:
    """What is wrong with a version; nothing if it is what was released.

    Args:
        directory: the version's folder.
        version: its number.
    """
    try:
        release = Release.load(directory)
    except ReleaseError as error:
        return (Fault(FILE_NAME, "unreadable", f"{FILE_NAME} cannot be read: {error.received}"),)
    if release.version != version:
        return (Fault(FILE_NAME, "changed", f"{FILE_NAME} is that of version {release.version}: the folder is a copy"),)
    if saved_model.digest(release.files) != release.model_digest:
        return (Fault(FILE_NAME, "changed", f"{FILE_NAME} was changed: its digest is not that of its files"),)
    return file_faults(directory, release)


def file_faults(directory: Path, release: Release) -> tuple[Fault, ...]:
    """The files that differ from a record: missing ones, then added ones, then changed ones."""
    try:
        found = saved_model.file_checksums(directory)
    except OSError as error:
        path = str(error.filename or directory)
        return (Fault(path, "unreadable", f"{path} cannot be read: {error.strerror or error}"),)
    found.pop(FILE_NAME, None)
    named = release.files
    changed = [path for path in named if path in found and found[path] != named[path]]
    return (
        *(Fault(path, "missing", f"{path} is missing") for path in named if path not in found),
        *(Fault(path, "added", f"{path} was added") for path in found if path not in named),
        *(Fault(path, "changed", f"{path} was changed") for path in changed),
    )
