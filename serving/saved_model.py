"""The files of an exported SavedModel: what identifies them, and a copy of them that survives a power cut."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from schemas.errors import ReleaseError

WARMUP_FILE = "assets.extra/tf_serving_warmup_requests"
"""In the SavedModel's folder: a TFRecord file of PredictionLogs, which servers answer before they serve the model."""

_BLOCK = 1 << 20


def checksums(directory: Path) -> dict[str, str]:
    """SHA-256 of every file, by path relative to the directory, in path order.

    Raises:
        ReleaseError: the directory holds no SavedModel, or it cannot be read.
    """
    if not (directory / "saved_model.pb").is_file():
        raise ReleaseError(
            "There is no SavedModel to release.",
            where=str(directory),
            received="no saved_model.pb in it",
            fix="Check that run_fn exports the model to fn_args.serving_model_dir.",
        )
    try:
        return file_checksums(directory)
    except OSError as error:
        raise ReleaseError(
            "The SavedModel cannot be read.",
            where=str(error.filename or directory),
            received=error.strerror or error,
            fix="Check who may read it, or train the model again.",
        ) from error


def file_checksums(directory: Path) -> dict[str, str]:
    """SHA-256 of every file of any directory, as `checksums` gives it.

    Raises:
        OSError: it cannot be read.
    """
    return {path: _checksum(directory / path) for path in sorted(_files(directory))}


def digest(files: Mapping[str, str]) -> str:
    """SHA-256 over paths and checksums: equal for equal models, wherever they lie."""
    lines = "".join(f"{path}\0{checksum}\n" for path, checksum in sorted(files.items()))
    return hashlib.sha256(lines.encode()).hexdigest()


def copy(source: Path, target: Path) -> dict[str, str]:
    """Copies the files into an existing directory and waits until they are on the disk.

    Returns:
        SHA-256 of what was copied, as `checksums` gives it.
    """
    # Links are followed and modes are not kept: a release depends neither on what lies elsewhere nor on who trained it.
    for directory, names, files in os.walk(source, followlinks=True):
        names.sort()
        inside = target / Path(directory).relative_to(source)
        inside.mkdir(exist_ok=True)
        for name in sorted(files):
            _copy_file(Path(directory) / name, inside / name)
        sync_directory(inside)
    return file_checksums(target)


def sync_directory(directory: Path) -> None:
    """Waits until the names in a directory are on the disk."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _files(directory: Path) -> Iterator[str]:
    for parent, _, names in os.walk(directory, followlinks=True):
        for name in names:
            yield (Path(parent) / name).relative_to(directory).as_posix()


def _checksum(path: Path) -> str:
    hasher = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            hasher.update(block)
    return hasher.hexdigest()


def _copy_file(source: Path, target: Path) -> None:
    with source.open("rb") as read, target.open("xb") as written:
        while block := read.read(_BLOCK):
            written.write(block)
        written.flush()
        os.fsync(written.fileno())
