"""A lock on a directory that dies with its holder, so that a killed process never blocks the next one."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from schemas.errors import ReleaseError

FILE_NAME = ".lock"


@contextmanager
def directory_lock(directory: Path, *, timeout: float = 600.0) -> Iterator[None]:
    """Holds the directory's lock, which is between processes and between threads, while the block runs.

    Args:
        directory: an existing directory; the lock is the file `.lock` in it, which model servers ignore.
        timeout: seconds to wait for another holder.

    Raises:
        ReleaseError: another process still holds it after that time.
        OSError: the directory cannot be written.
    """
    # flock belongs to the open file: the kernel drops it when the process ends, however it ends.
    descriptor = os.open(directory / FILE_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        deadline = time.monotonic() + timeout
        while not _taken(descriptor):
            if time.monotonic() >= deadline:
                raise ReleaseError(
                    f"Another process has been releasing a model for more than {timeout:.0f} seconds.",
                    where=str(directory),
                    received=os.pread(descriptor, 100, 0).decode(errors="replace").strip() or "an unknown process",
                    fix="Wait for it, or end it if it hangs.",
                )
            time.sleep(0.02)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"process {os.getpid()} on {os.uname().nodename}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)


def _taken(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
