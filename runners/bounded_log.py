"""A log of this machine's that processes append to, one after the other, and that does not grow for ever."""

from __future__ import annotations

import contextlib
from logging.handlers import RotatingFileHandler
from pathlib import Path

_BYTES = 1 << 20


def bounded_log(log: Path) -> Path:
    """The same path, after what is in the file has become the file `.1` beside it, where that is more than 1 MiB.

    Args:
        log: the file; it need not be there yet.
    """
    # Another process may do the same just now, and what comes next can be told of a log that cannot be written to.
    with contextlib.suppress(OSError):
        if log.stat().st_size > _BYTES:
            handler = RotatingFileHandler(log, backupCount=1, delay=True)
            handler.doRollover()
            handler.close()
    return log
