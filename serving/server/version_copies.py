"""Copies of versions from buckets, from which they are loaded, in a temporary folder that goes with the server.

TensorFlow could read gs:// by itself, but not s3://, and for minutes where the network is gone; and a copy is looked
at, and tried again, as a local version is.
"""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import tempfile
import threading
from collections.abc import Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import suppress
from pathlib import Path

from schemas.errors import ReleaseError
from serving.object_store.bucket_folder import BucketFolder
from serving.object_store.object_store import PARALLEL, File, object_store

_PREFIX = "scalable-tf-models-"
_LOCK = ".lock"
_FULL = (errno.ENOSPC, errno.EDQUOT)
_MODEL_FILES = ("saved_model.pb", "saved_model.pbtxt")
_KEEP_FREE = 16 << 20  # bytes


class VersionCopy:
    """One version on this machine's disk.

    Args:
        path: where it is to be.
        ended: when it is set, nothing more is copied.
    """

    def __init__(self, path: Path, ended: threading.Event) -> None:
        self.path = path
        self._ended = ended
        self._there: dict[str, File] = {}

    def bring(self, version: BucketFolder, files: Sequence[File]) -> None:
        """Copies what is not there yet, or is another file now, and deletes what is not in the bucket any more.

        Args:
            version: in its bucket.
            files: all that are there.

        Raises:
            OSError: there is no SavedModel, or the disk cannot be written.
            ReleaseError: the store does not give a file, its name is no path, or the disk is full.
        """
        if not any(file.name in _MODEL_FILES for file in files):  # as TensorFlow says it, before it is copied
            raise FileNotFoundError(
                f"SavedModel file does not exist at: {version}/{{saved_model.pbtxt|saved_model.pb}}"
            )
        _check_names(version, files)
        for name in self._there.keys() - {file.name for file in files}:
            (self.path / name).unlink()
            del self._there[name]
        missing = [file for file in files if self._there.get(file.name) != file]
        try:
            self.path.mkdir(exist_ok=True)
            self._check_space(sum(file.size for file in missing))
            self._bring_all(version, missing)
        except OSError as error:
            if error.errno not in _FULL:
                raise
            self.remove()
            raise ReleaseError(
                "There is no room on the disk for a copy of the version.",
                where=str(self.path.parent),
                received=f"{sum(file.size for file in files):,} bytes of {version}: {error.strerror}",
                fix="Make room there, or let the environment variable TMPDIR name a folder on another disk.",
            ) from error

    def remove(self) -> None:
        """Deletes it."""
        self._there.clear()
        shutil.rmtree(self.path, ignore_errors=True)

    def _check_space(self, needed: int) -> None:
        free = shutil.disk_usage(self.path).free
        if needed + _KEEP_FREE > free:
            raise OSError(errno.ENOSPC, f"{needed:,} are to be copied, and {free:,} free")

    def _bring_all(self, version: BucketFolder, files: Sequence[File]) -> None:
        stop = threading.Event()
        with ThreadPoolExecutor(PARALLEL, thread_name_prefix="model-copy") as pool:
            futures = [pool.submit(self._bring, version, file, stop) for file in files]
            done, _ = wait(futures, return_when=FIRST_EXCEPTION)
            failed = [error for future in done if (error := future.exception()) is not None]
            if failed:
                stop.set()
                pool.shutdown(cancel_futures=True)
                raise failed[0]

    def _bring(self, version: BucketFolder, file: File, stop: threading.Event) -> None:
        def go_on() -> None:
            if stop.is_set() or self._ended.is_set():
                raise InterruptedError("The server ends, or another file could not be copied.")

        go_on()  # or folders would be made that have been deleted at the end
        path = self.path / file.name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as written:

            def write(piece: bytes) -> None:
                go_on()
                written.write(piece)

            if file.size:
                object_store(version.scheme).download(version, file, write)
        if path.stat().st_size != file.size:
            raise ReleaseError(
                "A file was not copied as a whole.",
                where=f"{version}/{file.name}",
                received=f"{path.stat().st_size:,} of {file.size:,} bytes",
                fix="It is copied again by itself.",
            )
        self._there[file.name] = file


class VersionCopies:
    """The folder of all copies, which is made with the first.

    Args:
        ended: when it is set, nothing more is copied.
    """

    def __init__(self, ended: threading.Event) -> None:
        self._ended = ended
        self._root: Path | None = None
        self._lock: int | None = None
        self._count = 0

    def new(self, version: BucketFolder) -> VersionCopy:
        """A copy that holds nothing yet.

        Raises:
            ReleaseError: there is no folder for it.
        """
        if self._root is None:
            try:
                _remove_left()
                root = Path(tempfile.mkdtemp(prefix=_PREFIX))
                self._lock = _locked(root)
            except OSError as error:
                raise ReleaseError(
                    "There is no folder for copies of versions.",
                    where=str(error.filename or "TMPDIR"),
                    received=error.strerror,
                    fix="Let the environment variable TMPDIR name a folder that this user can write to.",
                ) from error
            self._root = root
        self._count += 1
        name = version.name.rpartition("/")[2]
        return VersionCopy(self._root / f"{self._count}-{name}", self._ended)

    def close(self) -> None:
        """Deletes all."""
        if self._root is not None:
            shutil.rmtree(self._root, ignore_errors=True)
        if self._lock is not None:
            os.close(self._lock)
        self._root = self._lock = None


def _check_names(version: BucketFolder, files: Sequence[File]) -> None:
    """Names of objects may be anything; as paths some would lead out of the folder."""
    for file in files:
        if "\0" in file.name or any(part in ("", ".", "..") for part in file.name.split("/")):
            raise ReleaseError(
                "The name of an object is no path in the folder of the version.",
                where=f"{version}/",
                received=repr(file.name),
                fix="Delete it, or give it another name.",
            )


def _locked(root: Path) -> int:
    """Says that the folder is in use, as long as this process lives."""
    beside = root / f"{_LOCK}-new"
    descriptor = os.open(beside, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    beside.rename(root / _LOCK)  # from here on others see it, and that it is taken
    return descriptor


def _remove_left() -> None:
    """Deletes what servers left that were killed."""
    for root in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        with suppress(OSError):
            if root.is_symlink() or root.stat().st_uid != os.getuid():
                continue
            descriptor = os.open(root / _LOCK, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(root, ignore_errors=True)
            finally:
                os.close(descriptor)
