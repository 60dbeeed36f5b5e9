"""What the files of an artifact were when it was published, so that one that was altered since is not taken for it.

The record is a custom property of the artifact. Checking it costs a look at the sizes and times of the files; only
where these differ, as after a copy of the whole folder, are the files read, and then it is the contents that count.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

CONTENTS_PROPERTY = "contents"
_BLOCK = 1 << 20
_elsewhere: list[Callable[[str, str], bool | None]] = []


@contextlib.contextmanager
def kept_elsewhere(is_altered_there: Callable[[str, str], bool | None]) -> Iterator[None]:
    """Within it, in processes forked there too, artifacts are looked at where they are kept instead of on this disk.

    Args:
        is_altered_there: takes an artifact's URI and how its files looked when it was published (`looks`); says whether
            they are missing or other ones, or None where the artifact is not kept there.
    """
    _elsewhere.append(is_altered_there)
    try:
        yield
    finally:
        _elsewhere.pop()


def record_contents(uri: str) -> str:
    """The record of what is under a URI now; empty where it is no local folder or file."""
    if "://" in uri or not os.path.exists(uri):
        return ""
    return json.dumps({"looks": _looks(uri), "content": _content(uri)})


def is_altered(artifact: Any) -> bool:
    """Whether the files of an artifact are missing or other ones than those that were published.

    Args:
        artifact: an `ml_metadata` Artifact; one without a record counts as unaltered.
    """
    if CONTENTS_PROPERTY not in artifact.custom_properties:
        return False
    expected = json.loads(artifact.custom_properties[CONTENTS_PROPERTY].string_value)
    for is_altered_there in _elsewhere:
        if (altered := is_altered_there(artifact.uri, expected["looks"])) is not None:
            return altered
    if not os.path.exists(artifact.uri):
        return True
    return _looks(artifact.uri) != expected["looks"] and _content(artifact.uri) != expected["content"]


def looks(files: Iterable[tuple[str, int, int]]) -> str:
    """How files look: the SHA-256, in hex, of their relative names, sizes and times of change (ns), sorted by name."""
    return _digest(f"{name}\0{size}\0{mtime}" for name, size, mtime in files)


def _looks(uri: str) -> str:
    stats = ((name, os.stat(path)) for name, path in files_under(uri))
    return looks((name, found.st_size, found.st_mtime_ns) for name, found in stats)


def _content(uri: str) -> str:
    return _digest(f"{name}\0{_checksum(path)}" for name, path in files_under(uri))


def _digest(lines: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _checksum(path: Path) -> str:
    checksum = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            checksum.update(block)
    return checksum.hexdigest()


def files_under(uri: str) -> list[tuple[str, Path]]:
    """Relative names and paths of all files, in the order of their names; a file is the only one of itself."""
    top = Path(uri)
    if top.is_file():
        return [("", top)]
    found = (Path(folder) / name for folder, _, names in os.walk(top) for name in names)
    return sorted((path.relative_to(top).as_posix(), path) for path in found)
