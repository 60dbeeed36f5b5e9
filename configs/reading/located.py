"""Values that know where they were written, so that every mistake can be shown at its line."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, NamedTuple

from configs.secret import mask_passwords
from schemas.errors import SettingsError

Scalar = str | int | float | bool | None
Path = tuple[str | int, ...]
"""Keys and list indexes from the root of the settings to a value."""


@dataclass(frozen=True)
class Place:
    """Where a value was written: a file with line and column from 1, or `--set a.b=3` or another option (line 0)."""

    source: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.source}, line {self.line}, column {self.column}" if self.line else self.source

    def at(self, path: Path) -> str:
        """The place and the dotted path of the key there, as an error's `where`."""
        return f"{self} ({dotted(path)})" if path and not self.source.startswith("--") else str(self)


@dataclass(frozen=True)
class Located:
    """A value and where it was written.

    Args:
        value: a dict or a list of located values, or a scalar.
        place: where the value begins.
        key: where its key begins, in a mapping.
        takes_away: a null that an overlay wrote over an entry that was there.
    """

    value: dict[str, Located] | list[Located] | Scalar
    place: Place
    key: Place | None = None
    takes_away: bool = False

    @property
    def start(self) -> Place:
        """Where the entry begins: at its key if it has one."""
        return self.key or self.place

    def child(self, step: str | int) -> Located | None:
        """The value under a key or at an index, or None."""
        if isinstance(self.value, dict):
            return self.value.get(step) if isinstance(step, str) else None
        if isinstance(self.value, list) and isinstance(step, int) and 0 <= step < len(self.value):
            return self.value[step]
        return None

    def plain(self) -> Any:
        """The value without places."""
        if isinstance(self.value, dict):
            return {key: child.plain() for key, child in self.value.items()}
        if isinstance(self.value, list):
            return [child.plain() for child in self.value]
        return self.value


class Mistake(NamedTuple):
    """An error, the place by which errors are ordered, and the path that it is about."""

    place: Place
    path: Path
    error: SettingsError


def mistake(place: Place, path: Path, what: str, *, received: str | None = None, fix: str = "") -> Mistake:
    """A mistake about the value at a path; passwords of URLs in it are masked."""
    masked = None if received is None else mask_passwords(received)
    where = mask_passwords(place.at(path))
    return Mistake(
        place, path, SettingsError(mask_passwords(what), where=where, received=masked, fix=mask_passwords(fix))
    )


def shown(value: object) -> str:
    """A value as users would write it, at most 80 characters."""
    plain = value.plain() if isinstance(value, Located) else value
    text = repr(plain) if isinstance(plain, str) else json.dumps(plain, ensure_ascii=False)
    text = mask_passwords(text)  # before it is cut: half a URL is not recognised as one
    return text if len(text) <= 80 else text[:77] + "..."


def dotted(path: Path) -> str:
    """A path as users write it with `--set`: `features.fare.log`, `features."a.b".log`, `evaluation.slices[0]`."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            text += ("." if text else "") + (step if re.fullmatch(r"[^.=\"'\s\[\]]+", step) else f'"{step}"')
    return text
