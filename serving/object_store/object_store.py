"""What the model server needs of S3 and of Google Cloud Storage.

It waits less for an answer than who brings data for a training does: the thread that asks looks after other models,
too, and asks again at the next poll.
"""

from __future__ import annotations

import importlib
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple, Protocol

from schemas.errors import ReleaseError, SetupError
from serving.object_store.bucket_folder import BucketFolder

CONNECT_SECONDS = 3
READ_SECONDS = 10
TRIES = 2
PARALLEL = 8
"""Files on their way at a time."""
CHUNK_BYTES = 8 << 20
"""Of a file that is in memory at a time."""
_STORES = {"s3": ("s3_objects", "S3Objects", "boto3"), "gs": ("gs_objects", "GsObjects", "google-cloud-storage")}
_USER = re.compile(r"//[^/@\s]*@")


class File(NamedTuple):
    """An object in a folder.

    Attributes:
        name: below the folder.
        size: in bytes.
        tag: changes when the content does: ETag or generation.
    """

    name: str
    size: int
    tag: str


@dataclass(frozen=True)
class Listing:
    """What is directly in a folder.

    Attributes:
        folders: names of those in it.
        files: by name.
    """

    folders: tuple[str, ...]
    files: Mapping[str, File]


class ObjectStore(Protocol):
    """The buckets of one scheme. Every method raises ReleaseError where the store cannot or will not answer."""

    def look(self, folder: BucketFolder) -> Listing:
        """What is directly in a folder: one request for each thousand. Nothing, where no object begins so."""

    def files(self, folder: BucketFolder) -> tuple[File, ...]:
        """All objects in a folder and in those in it, by name; not those that stand for folders."""

    def get(self, folder: BucketFolder, name: str) -> bytes | None:
        """A small object; None where there is none of that name."""

    def download(self, folder: BucketFolder, file: File, write: Callable[[bytes], None]) -> None:
        """Hands the object of that tag on, piece by piece. What `write` raises is raised."""


def object_store(scheme: str) -> ObjectStore:
    """The store of a scheme.

    Raises:
        SetupError: its client is not installed.
        ReleaseError: its client cannot be set up.
    """
    return _store(scheme, os.getpid())


@lru_cache
def _store(scheme: str, _process: int) -> ObjectStore:  # a forked process must not share connections
    module, name, package = _STORES[scheme]
    try:
        made: ObjectStore = getattr(importlib.import_module(f"serving.object_store.{module}"), name)()
    except ImportError as error:
        raise SetupError(
            f"Models at {scheme}:// are read with the package {package}, which is not installed.",
            where=f"{scheme}://",
            received=str(error),
            fix=f"pip install {package}",
        ) from error
    return made


def refusal(what: str, where: str, error: BaseException, fix: str) -> ReleaseError:
    """The error of a store that does not give what it is asked for; without names and passwords in URLs."""
    return ReleaseError(what, where=where, received=_USER.sub("//***@", str(error))[:300], fix=fix)
