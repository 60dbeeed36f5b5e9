"""One run at a time in an output_dir: a lock that dies with its holder, whatever it dies of."""

from __future__ import annotations

import contextlib
import fcntl
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from schemas.errors import RunError, SettingsError

_FILE = ".lock"
_PATIENCE = 1.0


@contextlib.contextmanager
def output_lock(output_dir: Path, holder: str, *, shared: bool = False) -> Iterator[None]:
    """Holds the lock of an output_dir, which is made where it is not there.

    Args:
        output_dir: absolute.
        holder: who holds it, for the message of the next one.
        shared: beside others who share it; only they are let in meanwhile.

    Raises:
        SettingsError: output_dir cannot be written to.
        RunError: somebody else holds it.
    """
    try:
        output_dir.mkdir(parents=True, exist_ok=True)
        lock = (output_dir / _FILE).open("a+")
    except OSError as error:
        raise SettingsError(
            f"output_dir cannot be written to: {error.strerror}.",
            where="output_dir",
            received=output_dir,
            fix="Choose a folder that you may write to: --set output_dir=/some/where",
        ) from error
    with lock:
        try:
            _acquire(lock, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)
        except BlockingIOError as error:
            lock.seek(0)
            raise RunError(
                "Another run is using this output_dir.",
                where=str(output_dir),
                received=lock.read().strip() or None,
                fix="Wait until it ends, or give this run an output_dir of its own.",
            ) from error
        if shared:
            yield
            return
        lock.truncate(0)
        lock.write(holder + "\n")
        lock.flush()
        try:
            yield
        finally:
            lock.truncate(0)


def _acquire(lock: IO[str], kind: int) -> None:
    """Tries for a moment: whoever only looks at the lock holds it for as long as that takes."""
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            fcntl.flock(lock, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return


def output_lock_holder(output_dir: Path) -> str | None:
    """Who holds the lock of an output_dir; None when nobody does."""
    try:
        lock = (output_dir / _FILE).open()
    except OSError:
        return None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return lock.read().strip() or "a process that is just starting"
        return None
