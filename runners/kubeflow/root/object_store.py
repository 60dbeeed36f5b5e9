"""The objects below an address: what a shared pipeline root needs of S3 and of Google Cloud Storage."""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Protocol

from components.example_gen.remote_store import without_user
from schemas.errors import RunError, SetupError

CHUNK_BYTES = 8 << 20
"""Of an object that is in memory at a time; a power of two, as Google wants it."""
_STORES = {"s3": ("s3_objects", "S3Objects", "boto3"), "gs": ("gs_objects", "GsObjects", "google-cloud-storage")}


@dataclass(frozen=True)
class Stat:
    """What a store says of an object.

    Attributes:
        size: in bytes.
        tag: changes when the content does: ETag or generation.
        modified: when it was written, seconds since 1970; two are the same whenever that was.
    """

    size: int
    tag: str
    modified: float = field(default=0.0, compare=False)

    def is_same(self, other: Stat | None) -> bool:
        """Whether another one is of the same writing; the tag of S3 says only that the content is the same."""
        return self == other and other is not None and self.modified == other.modified


class NoCredentialsError(RunError):
    """There is nothing to log in with: the store may be right."""


class ObjectStore(Protocol):
    """Objects by their names below one address; an object is there as a whole, or not at all.

    Every method raises RunError where the store cannot or will not answer, after a few tries.
    """

    def list(self, prefix: str) -> dict[str, Stat]:
        """The objects whose names begin with a prefix."""

    def get(self, name: str) -> bytes | None:
        """A small object; None where there is none of that name."""

    def put(self, name: str, content: bytes, *, new: bool = False) -> bool:
        """Writes a small object.

        Args:
            name: of it.
            content: of it.
            new: only where there is none of that name.

        Returns:
            Whether it was written.
        """

    def download(self, name: str, tag: str, file: Path) -> None:
        """Writes the object of that tag to a file, in pieces."""

    def upload(self, file: Path, name: str) -> None:
        """Writes a file to an object, in pieces."""

    def delete(self, names: Iterable[str]) -> None:
        """Deletes objects; those that are not there are passed over."""

    def delete_same(self, objects: Mapping[str, Stat]) -> None:
        """Deletes objects that have still these tags, as far as the store compares them when it deletes.

        Those that are not there, or are others, are passed over.
        """


def object_store(url: str) -> ObjectStore:
    """The store of an address.

    Args:
        url: `s3://BUCKET/FOLDER` or `gs://BUCKET/FOLDER`.

    Raises:
        SetupError: its client is not installed.
        RunError: its client cannot be set up.
    """
    return _store(url, os.getpid())


@lru_cache
def _store(url: str, _process: int) -> ObjectStore:  # a forked process must not share connections
    module, name, package = _STORES[url.partition("://")[0]]
    try:
        made: ObjectStore = getattr(importlib.import_module(f"runners.kubeflow.root.{module}"), name)(url)
    except ImportError as error:
        raise SetupError(
            f"A root at {url.partition('://')[0]}:// is reached with the package {package}, which is not installed.",
            where="kubeflow.root",
            received=str(error),
            fix=f"Install it in the image: pip install {package}",
        ) from error
    return made


def refusal(where: str, error: BaseException, fix: str) -> RunError:
    """The error of a store that cannot or will not do what it is asked for."""
    return RunError(
        "The shared pipeline root cannot be used.",
        where=where,
        received=f"{type(error).__name__}: {without_user(str(error))}",
        fix=fix,
    )
