"""A file of a remote store, read in ranges."""

from __future__ import annotations

import errno
import io
import os
from typing import Any

from components.example_gen.remote_store import store_of


class RemoteFile(io.RawIOBase):
    """A remote file, open for reading; what is not asked for is not fetched.

    Args:
        path: of the file, with scheme.

    Raises:
        FileNotFoundError: there is none.
        DataError: its store cannot or will not answer.
    """

    def __init__(self, path: str) -> None:
        super().__init__()
        self.name = path
        self._store = store_of(path)
        entry = self._store.entry(path)
        if entry is None:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
        self._entry, self._size, self._position = entry, entry.size or 0, 0

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Goes to an offset, without fetching anything."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._size}[whence]
        self._position = max(0, base + offset)
        return self._position

    def tell(self) -> int:
        """Where it is."""
        return self._position

    def readinto(self, buffer: Any) -> int:
        """Fills a buffer, unless the file ends before."""
        view = memoryview(buffer).cast("B")
        end = min(self._position + len(view), self._size)
        if end <= self._position:
            return 0
        data = self._store.read(self._entry, self._position, end)
        view[: len(data)] = data
        self._position += len(data)
        return len(data)
