"""A file of a remote store, read in ranges."""

from __future__ import annotations

import errno
import io
import os
from typing import Any

from components.example_gen.remote_store import store_of
from schemas.errors import DataError


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

    def readall(self) -> bytes:
        """All from here on, in one go; Python would fetch 8 KiB at a time."""
        return self._next(self._size)

    def readinto(self, buffer: Any) -> int:
        """Fills a buffer, unless the file ends before."""
        view = memoryview(buffer).cast("B")
        data = self._next(len(view))
        view[: len(data)] = data
        return len(data)

    def _next(self, most: int) -> bytes:
        end = min(self._position + most, self._size)
        if end <= self._position:
            return b""
        data = self._store.read(self._entry, self._position, end)
        if len(data) != end - self._position:  # which would be taken for the end of the file
            raise DataError(
                "The store of the data does not give the bytes that it is asked for.",
                where=self.name,
                received=f"{len(data)} instead of {end - self._position} bytes from byte {self._position} on",
                fix="Run again; if that does not help, check the file in its store.",
            )
        self._position += len(data)
        return data
