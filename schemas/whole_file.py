"""A file that exists whole or not at all."""

from __future__ import annotations

import os
import uuid
from typing import TypeVar

_Self = TypeVar("_Self", bound="WholeFile")


class WholeFile:
    """Written under a temporary name, and renamed when the `with` block ends without an error.

    What writes files derives from it: `_finish` writes what is left, `_close` lets go of the file in any case.

    Args:
        path: where the file will be; one that is there is replaced.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        folder, name = os.path.split(path)
        self._temporary = os.path.join(folder, f".{name}.{uuid.uuid4().hex}")
        self._wanted = True
        os.makedirs(folder, exist_ok=True)

    def discard(self) -> None:
        """Makes the `with` block end without a file."""
        self._wanted = False

    def __enter__(self: _Self) -> _Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None and self._wanted:
                self._finish()
                self._close()
                os.replace(self._temporary, self._path)
        finally:
            try:
                self._close()
            finally:
                if os.path.exists(self._temporary):
                    os.unlink(self._temporary)

    def _finish(self) -> None:
        raise NotImplementedError

    def _close(self) -> None:
        raise NotImplementedError
