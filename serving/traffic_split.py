"""Which part of a model's live requests goes to its canary: `traffic.json` in the model's folder, beside the versions.

TensorFlow Serving's config has no place for it, and TensorFlow Serving ignores the file: its name is no number. Our own
model server reads it wherever it polls the folder for versions, so that nothing has to be told to it.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from schemas.errors import ReleaseError
from serving.saved_model import sync_directory

FILE_NAME = "traffic.json"
_STAGING = f".{FILE_NAME}-"


class TrafficSplit(BaseModel):
    """A canary's part.

    It holds as long as `stable` and `canary` are the labels of these versions: once a label has moved there is no part.
    That there is one at all says that `release` moves the labels: whoever names none gets nothing newer than stable.

    Attributes:
        id: differs between two canaries, so that what was seen of one is not taken for the other's.
        stable: the version that has the rest.
        canary: the version that is tried.
        percent: of the requests, to the canary; 0: only those that ask for it by its label.
    """

    # A server may be older than the command that wrote the file.
    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str
    stable: int
    canary: int
    percent: float = Field(ge=0, lt=100)

    @classmethod
    def nothing(cls, stable: int) -> TrafficSplit:
        """Of a model of which no canary is tried."""
        return cls(id="", stable=stable, canary=stable, percent=0.0)


def read_split(directory: Path) -> TrafficSplit | None:
    """The split of a model; None: there is none.

    Args:
        directory: the model's folder.

    Raises:
        ReleaseError: the file cannot be read.
    """
    path = directory / FILE_NAME
    try:
        return split_of(path.read_bytes(), str(path))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _unreadable(str(path), str(error.strerror)) from error


def split_of(content: bytes, where: str) -> TrafficSplit:
    """The split in what such a file holds.

    Raises:
        ReleaseError: it is none.
    """
    try:
        return TrafficSplit.model_validate_json(content)
    except ValidationError as error:
        wrong = (f"{'.'.join(map(str, one['loc'])) or 'the file'}: {one['msg']}" for one in error.errors())
        raise _unreadable(where, "; ".join(wrong)) from error


def _unreadable(where: str, received: str) -> ReleaseError:
    return ReleaseError(
        "The file that says which part of the requests goes to the canary cannot be read.",
        where=where,
        received=received,
        fix="Give the last `scalable-tf release` command again, which writes a new one.",
    )


def write_split(directory: Path, split: TrafficSplit | None) -> None:
    """Replaces the file by one rename, or removes it for None. The caller holds a lock.

    Raises:
        OSError: it cannot be written; the file is what it was.
    """
    path = directory / FILE_NAME
    for left in directory.glob(f"{_STAGING}*"):  # by a process that was killed
        left.unlink()
    if split is None:
        path.unlink(missing_ok=True)
    else:
        staging = directory / f"{_STAGING}{secrets.token_hex(8)}"
        try:
            with staging.open("x", encoding="utf-8") as file:
                file.write(split.model_dump_json() + "\n")
                file.flush()
                os.fsync(file.fileno())
            staging.replace(path)
        finally:
            staging.unlink(missing_ok=True)
    sync_directory(directory)
