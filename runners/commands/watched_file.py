"""A file that is looked at now and then."""

from __future__ import annotations

import time
from pathlib import Path


class WatchedFile:
    """What is in a file, compared with what was there the last time.

    Args:
        path: None for no file.
        seconds: between two looks; 0 for none.
    """

    def __init__(self, path: Path | None, seconds: float) -> None:
        self._path, self._seconds = path, seconds
        self._content = self._read()
        self._looked = time.monotonic()

    def changed(self) -> bool:
        """Whether it has changed; False also where it is not yet time to look."""
        if self._path is None or not self._seconds or time.monotonic() - self._looked < self._seconds:
            return False
        before, self._content, self._looked = self._content, self._read(), time.monotonic()
        return self._content != before

    def forget(self) -> None:
        """Has the next look find a change: what was made of the content did not work out."""
        self._content = None

    def _read(self) -> bytes | None:
        """None where it cannot be read."""
        try:
            return self._path.read_bytes() if self._path else None
        except OSError:
            return None
