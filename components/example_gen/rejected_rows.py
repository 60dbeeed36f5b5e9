"""The rows of a shard that are left out because something is wrong with them, as JSON lines: its dead letters."""

from __future__ import annotations

import json
import math
import os
import secrets
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import IO, Any


class RejectedRows:
    """Writes rejected rows to a file, which is there, once the `with` block has ended well, only if there is one.

    Args:
        path: of the file; None: they are not written.
        most: number of rows to write; default: all.
    """

    def __init__(self, path: str | None = None, most: int | None = None) -> None:
        self._path = path
        self._most = math.inf if most is None else most
        self._file: IO[str] | None = None

    def __enter__(self) -> RejectedRows:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self._file is None or self._path is None:
            return
        self._file.close()
        if kind is None:
            os.replace(self._file.name, self._path)
        else:
            os.unlink(self._file.name)

    @property
    def wanted(self) -> bool:
        """Whether there is room for one more."""
        return self._path is not None and self._most > 0

    def write(self, row: Mapping[str, Any]) -> None:
        """Writes one row, if it is wanted; values that JSON does not have are written as text."""
        if not self.wanted:
            return
        if self._file is None and self._path is not None:
            # Engines do work again, perhaps while the first attempt still goes on.
            self._file = open(f"{self._path}.{secrets.token_hex(4)}", "w", encoding="utf-8")  # noqa: SIM115
        if self._file is not None:
            self._file.write(json.dumps(_plain(row), ensure_ascii=False) + "\n")
            self._most -= 1


def collect_rejected(parts: Iterable[Path], target: Path) -> bool:
    """Puts the files of all shards together; whether there was any."""
    there = [part for part in parts if part.exists()]
    if not there:
        return False
    target.parent.mkdir(parents=True, exist_ok=True)
    staged = target.with_name(f".{target.name}")
    try:
        with staged.open("wb") as whole:
            for part in there:
                with part.open("rb") as file:
                    shutil.copyfileobj(file, whole)
        staged.replace(target)
    except BaseException:
        staged.unlink(missing_ok=True)
        raise
    return True


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    if value is None or isinstance(value, str | bool | int) or (isinstance(value, float) and math.isfinite(value)):
        return value
    return str(value)
