"""The folder in which predictions are handed over: a copy of what BulkInferrer made, there whole or not at all."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from components.bulk_inferrer.manifest import Manifest
from schemas.errors import RunError
from schemas.storage_error import storage_error
from serving.saved_model import copy, sync_directory


def hand_over(made: Path, target: Path) -> None:
    """Copies predictions to where others look for them; earlier ones there are replaced at once.

    The copy is made under a hidden name beside the target, and renamed when every byte is on the disk and is what the
    manifest says. What a killed process has left of one is removed by the next.

    Args:
        made: folder of the InferenceResult artifact.
        target: absolute.

    Raises:
        RunError: something else than predictions is there, what was made is not what it was, or the folder cannot be
            written.
    """
    staging, replaced = (target.with_name(f".{target.name}.{kind}") for kind in ("staging", "replaced"))
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with _alone(target.parent):
            for left in (staging, replaced):
                shutil.rmtree(left, ignore_errors=True)
            _check_replaceable(target)
            try:
                staging.mkdir()
                _check_whole(made, copy(made, staging))
                if target.exists():
                    target.rename(replaced)
                staging.rename(target)
                sync_directory(target.parent)
            finally:
                for left in (staging, replaced):
                    shutil.rmtree(left, ignore_errors=True)
    except OSError as error:
        raise storage_error(error, target.parent) or RunError(
            "The predictions cannot be handed over.",
            where=str(error.filename or target),
            received=error.strerror or error,
            fix="Name another folder with --out; the run is complete, and comes from the cache.",
        ) from error


def _check_replaceable(target: Path) -> None:
    if not os.path.lexists(target) or (target.is_dir() and not any(target.iterdir())):
        return
    try:
        Manifest.load(target)
    except (OSError, ValueError, TypeError) as error:
        raise RunError(
            "Where the predictions are to go, there is something else.",
            where=str(target),
            received=f"{', '.join(sorted(os.listdir(target))[:5])}" if target.is_dir() else "a file",
            fix="Name another folder with --out; only earlier predictions are replaced.",
        ) from error


def _check_whole(made: Path, files: dict[str, str]) -> None:
    expected = {name: one["sha256"] for name, one in Manifest.load(made).files.items()}
    wrong = [name for name, checksum in expected.items() if files.get(name) != checksum]
    if wrong:
        raise RunError(
            "The predictions are not those that were made: files were changed.",
            where=str(made),
            received=", ".join(wrong[:5]),
            fix="Run again: they are made anew.",
        )


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One process at a time; the kernel drops the lock when its holder ends, however it ends."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
