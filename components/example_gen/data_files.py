"""Files of data, wherever they are: on a file system of this machine, or in a remote store.

Local ones are opened as ever; all that knows of remote ones is here and in `remote_listing`.
"""

from __future__ import annotations

import errno
import glob
import io
import os
from collections.abc import Iterator
from typing import Any, BinaryIO, cast

import pyarrow as pa

from components.example_gen.remote_file import RemoteFile
from components.example_gen.remote_store import Entry, store_of

_BUFFER = 1 << 20


def is_remote(path: str) -> bool:
    """Whether a path names a remote store."""
    return "://" in path


def open_data(path: str) -> BinaryIO:
    """Opens a file for reading, at any place of it.

    Raises:
        OSError: it cannot be opened.
        DataError: its store cannot or will not answer; reading raises it, too.
    """
    return (
        cast(BinaryIO, io.BufferedReader(RemoteFile(path), _BUFFER)) if is_remote(path) else open(path, "rb", _BUFFER)
    )


def open_arrow(path: str) -> Any:
    """Opens a file for Arrow; raises as `open_data` does."""
    return pa.PythonFile(open_data(path), "r") if is_remote(path) else pa.OSFile(path)


def map_arrow(path: str) -> Any:
    """Opens a file for Arrow, of which a local one is mapped into memory; raises as `open_data` does."""
    return open_arrow(path) if is_remote(path) else pa.memory_map(path)


def size_of(path: str) -> int:
    """Bytes of a file; raises as `open_data` does."""
    return entry_of(path).size or 0 if is_remote(path) else os.path.getsize(path)


def entry_of(path: str) -> Entry:
    """A remote file as its store has it.

    Raises:
        FileNotFoundError: it is not there.
        DataError: the store cannot or will not answer.
    """
    entry = store_of(path).entry(path)
    if entry is None:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
    return entry


def matches(base: str, pattern: str) -> Iterator[str]:
    """The files and folders below a folder that a glob matches, relative to it.

    Raises:
        DataError: a remote store cannot or will not answer.
    """
    if is_remote(base):
        for entry in store_of(base).find(f"{base}/{pattern}"):
            yield entry.path.removeprefix(f"{base}/")
    else:
        for path in glob.glob(os.path.join(glob.escape(base), pattern), recursive=True):
            yield os.path.relpath(path, base)
