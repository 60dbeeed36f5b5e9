"""What a disk refuses, whoever reports it: the operating system, TensorFlow, Beam, pyarrow or SQLite.

Frameworks wrap an OSError, or only quote its text. So the whole chain of causes is looked at, by its error number and
by the few texts that each framework uses.
"""

from __future__ import annotations

import errno
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from schemas.errors import RunError

_WHAT = {
    errno.ENOSPC: "The disk is full.",
    errno.EDQUOT: "The disk quota is used up.",
    errno.EROFS: "The disk is read-only.",
    errno.EACCES: "A file or folder that the run needs may not be used.",
    errno.EIO: "The disk cannot be read or written.",
}
_SPACE = (errno.ENOSPC, errno.EDQUOT)
# SQLite's texts (sqlite3ErrStr), and Python's when no temporary folder can be written to.
_TEXTS = {
    "database or disk is full": errno.ENOSPC,
    "No usable temporary directory": errno.ENOSPC,
    "attempt to write a readonly database": errno.EROFS,
    "disk I/O error": errno.EIO,
    # The operating system's own, as C++ libraries quote them.
    "No space left on device": errno.ENOSPC,
    "Disk quota exceeded": errno.EDQUOT,
    "Read-only file system": errno.EROFS,
}
_NUMBER = re.compile(r"\[[Ee]rrno (\d+)\]")  # Python's text, which Beam keeps, and Arrow's
_DENIED = re.compile(r"/\S+; Permission denied")  # TensorFlow's
_PATHS = (re.compile(r"(?:^|\s)(/[^;'\"{}]+); "), re.compile(r"'(/[^']+)'"))  # TensorFlow's and Python's
_OPERATION = re.compile(r"\{\{.*?\}\}\s*")  # TensorFlow's name of the operation that wrote
_RECEIVED = 200


def storage_error(error: BaseException, *folders: str | os.PathLike[str]) -> RunError | None:
    """The error that says what the disk refused and where, or None when it is not the disk.

    Args:
        error: with its causes.
        folders: where it may have happened, if the error does not say; the one with the least free space is named.
    """
    for cause in _chain(error):
        number = _number(cause)
        if number is None:
            continue
        path = _path(cause) or min((os.fspath(folder) for folder in folders), key=_free, default="")
        text = next(iter(_OPERATION.sub("", str(cause)).strip().splitlines()), "")[:_RECEIVED]
        if path and number in _SPACE:
            there = _existing(path)
            usage = shutil.disk_usage(there)
            # Who failed has mostly removed what it had half written by now.
            text += f"; the disk at {_mount(there)} has {_size(usage.total)}, {_size(usage.free)} free after clean-up"
        return RunError(_WHAT[number], where=path, received=text, fix=_fix(number, path))
    return None


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _number(error: BaseException) -> int | None:
    if isinstance(error, OSError) and error.errno in _WHAT:
        return error.errno
    text = str(error)
    quoted = _NUMBER.search(text)
    if quoted is not None and int(quoted[1]) in _WHAT:
        return int(quoted[1])
    if _DENIED.search(text):
        return errno.EACCES
    return next((number for known, number in _TEXTS.items() if known in text), None)


def _path(error: BaseException) -> str:
    if isinstance(error, OSError) and error.filename is not None:
        return os.fsdecode(error.filename) if not isinstance(error.filename, int) else ""
    text = _OPERATION.sub("", str(error))
    if "temporary directory" in text:
        return _temporary()
    return next((match[1] for pattern in _PATHS if (match := pattern.search(text))), "")


def _temporary() -> str:
    return os.environ.get("TMPDIR") or "/tmp"  # tempfile's own answer needs a folder that can be written to


def _fix(number: int, path: str) -> str:
    temporary = bool(path) and Path(path).is_relative_to(_temporary())
    elsewhere = "TMPDIR=/some/where in the environment" if temporary else "output_dir or metadata.url of the settings"
    again = "then run again: nothing half-written is kept, and finished nodes come from the cache."
    if number in _SPACE:
        return f"Free space there, or use another disk ({elsewhere}); {again}"
    if number == errno.EIO:
        return f"Check the disk and its mount (dmesg tells more), or use another one ({elsewhere}); {again}"
    return f"Make it writable for this user, or use another folder ({elsewhere}); {again}"


def _existing(path: str) -> Path:
    there = Path(path).absolute()
    while not os.path.exists(there) and there != there.parent:
        there = there.parent
    return there


def _free(path: str) -> int:
    return shutil.disk_usage(_existing(path)).free


def _mount(path: Path) -> Path:
    while not path.is_mount():
        path = path.parent
    return path


def _size(count: int) -> str:
    size = float(count)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} TiB"
