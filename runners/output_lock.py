"""One run at a time in an output_dir: a lock that dies with its holder, whatever it dies of."""

from __future__ import annotations

import contextlib
import fcntl
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from runners.file_lock import file_lock
from schemas.errors import RunError, SettingsError

_FILE = ".lock"


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
    with contextlib.ExitStack() as held:
        try:
            taken = partial(_taken, output_dir)
            held.enter_context(file_lock(output_dir / _FILE, holder, taken, shared=shared))
        except OSError as error:
            raise SettingsError(
                f"output_dir cannot be written to: {error.strerror}.",
                where="output_dir",
                received=output_dir,
                fix="Choose a folder that you may write to: --set output_dir=/some/where",
            ) from error
        yield


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


def _taken(output_dir: Path, holder: str) -> RunError:
    return RunError(
        "Another run is using this output_dir.",
        where=str(output_dir),
        received=holder or None,
        fix="Wait until it ends, or give this run an output_dir of its own.",
    )
