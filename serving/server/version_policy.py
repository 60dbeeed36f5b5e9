"""Which versions of a model are served, of those whose directories there are."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

_LARGEST = 2**63 - 1


@dataclass(frozen=True)
class VersionPolicy:
    """Which versions are wanted.

    Attributes:
        kind: the newest ones, all, or named ones.
        latest: how many of the newest.
        specific: the named ones.
    """

    kind: Literal["latest", "all", "specific"] = "latest"
    latest: int = 1
    specific: tuple[int, ...] = ()

    def candidates(self, there: Iterable[int]) -> list[int]:
        """The versions to try, the best first, until there are as many as `count`.

        For the newest ones they are all: where one cannot be loaded, the next older one is served.
        """
        versions = sorted(there, reverse=True)
        return [version for version in versions if version in self.specific] if self.kind == "specific" else versions

    def count(self, there: Iterable[int]) -> int:
        """How many versions are to be served."""
        candidates = len(self.candidates(there))
        return min(self.latest, candidates) if self.kind == "latest" else candidates


def version_directories(base: Path) -> dict[int, Path]:
    """The directories of a model's versions, by number.

    Raises:
        OSError: the folder is not there, or cannot be read.
    """
    return {
        number: base / name for number, name in numbered(path.name for path in base.iterdir() if path.is_dir()).items()
    }


def numbered(names: Iterable[str]) -> dict[int, str]:
    """Which of some directories are of versions, by number.

    Their names are numbers of 64 bits, leading zeros are fine; anything else is ignored. Of 7 and 007 the shorter one
    is taken.
    """
    return {
        int(name): name
        for name in sorted(names, key=len, reverse=True)
        if name.isascii() and name.isdigit() and int(name) <= _LARGEST
    }
