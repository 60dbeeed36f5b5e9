"""Stores of files that are not on a file system of this machine, by the scheme of a path.

Each is read by the client that Beam's file system of that scheme is made of, not through that file system: Beam tries
again for ten minutes whatever is wrong, a missing key as much as a busy server, and does not tell a bucket that is not
there from an empty one.
"""

from __future__ import annotations

import importlib
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

from components.example_gen.glob_pattern import WILD, compiled
from schemas.errors import DataError, DataStoreError

CONNECT_SECONDS = 10
READ_SECONDS = 30
TRIES = 4
_STORES = {
    "s3": ("s3_store", "S3Store", "boto3"),
    "gs": ("gs_store", "GsStore", "google-cloud-storage"),
    "hdfs": ("hdfs_store", "HdfsStore", "hdfs"),
}
_USER = re.compile(r"//[^/@\s]*@")


@dataclass(frozen=True)
class Entry:
    """A file, or a folder where `size` is None.

    Args:
        path: of it, with scheme.
        size: in bytes.
        tag: changes when the content does.
    """

    path: str
    size: int | None
    tag: str = ""


class Store(Protocol):
    """Files that paths of one scheme name.

    Every method raises DataStoreError where the store cannot or will not answer.
    """

    def entry(self, path: str) -> Entry | None:
        """A file; None where there is none of that name."""

    def find(self, pattern: str) -> list[Entry]:
        """The files and folders that a glob matches, sorted by path."""

    def read(self, entry: Entry, start: int, end: int) -> bytes:
        """Bytes of a file: all from `start` up to `end`, which is not beyond the file."""


def store_of(path: str) -> Store:
    """The store that a path names.

    Raises:
        DataError: its scheme is not known, its client is not installed, or cannot be set up.
    """
    return _store(path.partition("://")[0], os.getpid())


@lru_cache
def _store(scheme: str, _process: int) -> Store:  # a forked process must not share connections
    if scheme not in _STORES:
        raise DataError(
            "Data is not read from there.",
            where="data.path",
            received=f"{scheme}://",
            fix="Use s3://, gs:// or hdfs://, or mount or copy the data and name the local path."
            + (" For S3 write s3://." if scheme in ("s3a", "s3n") else ""),
        )
    module, name, package = _STORES[scheme]
    try:
        made: Store = getattr(importlib.import_module(f"components.example_gen.{module}"), name)()
    except ImportError as error:
        raise DataError(
            f"Paths of {scheme}:// are read with the package {package}, which is not installed.",
            where="data.path",
            received=str(error),
            fix=f"Install it wherever nodes run: pip install {package}",
        ) from error
    return made


def bucket_and_name(path: str) -> tuple[str, str]:
    """The parts of `SCHEME://BUCKET/NAME`."""
    bucket, _, name = path.partition("://")[2].partition("/")
    return bucket, name


def fixed_part(pattern: str) -> str:
    """What a glob begins with before its first wildcard."""
    wildcard = WILD.search(pattern)
    return pattern[: wildcard.start()] if wildcard else pattern


def select(pattern: str, entries: Iterable[Entry]) -> list[Entry]:
    """Those of some entries that a glob matches, and the folders in which they are that it matches.

    What ends in / is a folder, also where a store keeps an empty file for it.
    """
    regex = compiled(pattern)
    found: dict[str, Entry] = {}
    for entry in entries:
        path = entry.path.rstrip("/")
        if regex.fullmatch(path):
            found[path] = entry if path == entry.path else Entry(path, None)
        # Stores that have no folders have their names in those of files.
        while (path := path.rpartition("/")[0]) not in found and not path.endswith("/"):
            if regex.fullmatch(path):
                found[path] = Entry(path, None)
    return [found[path] for path in sorted(found)]


def unanswered(path: str, error: BaseException, fix: str) -> DataStoreError:
    """The error of a store that does not answer."""
    return DataStoreError(
        "The store of the data does not answer.",
        where=path,
        received=without_user(str(error)),
        fix=fix,
    )


def without_user(text: str) -> str:
    """The text with neither names nor passwords of users in URLs."""
    return _USER.sub("//***@", text)[:300]
