"""What a folder in the shared root holds. Its record is written when all of it is there: without one, it is not."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from runners.kubeflow.root.object_store import Stat
from schemas.artifact_contents import files_under, looks


@dataclass(frozen=True)
class FileStat:
    """A file as it looks.

    Attributes:
        size: in bytes.
        mtime: of its last change, nanoseconds since 1970; the copies have it too, by which they are known.
        tag: of its object; empty where there is none yet.
    """

    size: int
    mtime: int
    tag: str = ""

    def is_like(self, other: FileStat | None) -> bool:
        """Whether another one looks the same, whatever its object."""
        return other is not None and (self.size, self.mtime) == (other.size, other.mtime)


@dataclass(frozen=True)
class Manifest:
    """The files of one folder.

    Attributes:
        files: by path below it; one that is a file itself has that at the empty path.
    """

    files: Mapping[str, FileStat]

    @classmethod
    def of(cls, path: Path) -> Manifest:
        """What is on the disk; nothing is an empty folder."""
        stats = {name: os.stat(file) for name, file in files_under(str(path))}
        return cls({name: FileStat(found.st_size, found.st_mtime_ns) for name, found in stats.items()})

    @classmethod
    def from_json(cls, text: bytes) -> Manifest:
        """The inverse of `to_json`."""
        return cls({name: FileStat(**fields) for name, fields in json.loads(text)["files"].items()})

    def to_json(self) -> bytes:
        """As it is kept."""
        files = {name: asdict(stat) for name, stat in self.files.items()}
        return json.dumps({"files": files}, sort_keys=True).encode()

    @property
    def looks(self) -> str:
        """As `schemas.artifact_contents` records it of an artifact."""
        return looks((name, stat.size, stat.mtime) for name, stat in sorted(self.files.items()))

    def tagged(self, objects: Mapping[str, Stat]) -> Manifest:
        """With the tags of the objects by the same names; those without one of their size are left out."""
        return Manifest(
            {
                name: replace(stat, tag=objects[name].tag)
                for name, stat in self.files.items()
                if name in objects and objects[name].size == stat.size
            }
        )

    def is_whole(self, objects: Mapping[str, Stat]) -> bool:
        """Whether the objects are those that were recorded; others beside them do not count."""
        return all(objects.get(name) == Stat(stat.size, stat.tag) for name, stat in self.files.items())


def to_bring(kept: Manifest, here: Manifest) -> list[str]:
    """The files that are not on the disk as they are kept, the largest first, so that none is begun last."""
    wanted = [name for name, stat in kept.files.items() if not stat.is_like(here.files.get(name))]
    return sorted(wanted, key=lambda name: (-kept.files[name].size, name))


def to_take(here: Manifest, kept: Manifest | None, objects: Mapping[str, Stat]) -> list[str]:
    """The files that are not kept as they are on the disk, the largest first.

    Args:
        here: what is on the disk.
        kept: the record; None where there is none.
        objects: what the store has.
    """
    known = {} if kept is None else kept.files
    unchanged = {
        name
        for name, stat in here.files.items()
        if stat.is_like(known.get(name)) and objects.get(name) == Stat(stat.size, known[name].tag)
    }
    return sorted(here.files.keys() - unchanged, key=lambda name: (-here.files[name].size, name))
