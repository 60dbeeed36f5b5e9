"""The files that a path stands for, and an error that helps where there are none."""

from __future__ import annotations

import glob
import os
from difflib import get_close_matches

from components.example_gen.data_files import is_remote
from components.example_gen.formats import FORMATS, SUFFIXES, shown_suffixes
from components.example_gen.glob_pattern import WILD
from components.example_gen.remote_listing import list_remote_files, whats_there_remotely
from configs.data import Source
from schemas.errors import DataError


def list_files(path: str, source: Source = "csv") -> tuple[str, ...]:
    """The files that a path stands for, sorted by name.

    Args:
        path: a file, a folder (every file directly in it whose suffix is the format's), or a glob (** crosses folders).
        source: the format.

    Raises:
        DataError: there are none, or one cannot be read.
    """
    if is_remote(path):
        return list_remote_files(path, source)
    wildcard = WILD.search(path)
    if wildcard is None or os.path.lexists(path):
        if os.path.isdir(path):
            return _folder(path, source)
        if not os.path.exists(path):
            raise _missing(path)
        files = [path]
    else:
        files = sorted(p for p in glob.glob(path, recursive=True) if not os.path.isdir(p))
        if not files:
            base = os.path.dirname(path[: wildcard.start()])
            raise DataError(
                "No file matches the pattern of the data.",
                where="data.path",
                received=path,
                fix=f"Check the pattern; {whats_there(base)}",
            )
    for file in files:
        _check_readable(file)
    return tuple(files)


def _folder(path: str, source: Source) -> tuple[str, ...]:
    try:
        names = sorted(os.listdir(path))
    except OSError as error:
        raise _unreadable(path, error) from error
    suffixes = SUFFIXES[source]
    files = [
        os.path.join(path, name)
        for name in names
        if name.lower().endswith(suffixes) and not name.startswith(".") and not os.path.isdir(os.path.join(path, name))
    ]
    if not files:
        raise DataError(
            f"The folder of the data holds no {FORMATS[source]} file.",
            where="data.path",
            received=path,
            fix=f"Put {shown_suffixes(source)} files there, or name a file or a glob; {whats_there(path)}",
        )
    for file in files:
        _check_readable(file)
    return tuple(files)


def _check_readable(path: str) -> None:
    if not os.path.isfile(path):
        if not os.path.exists(path):
            raise _missing(path)
        raise DataError(
            "The data is not a regular file.",
            where="data.path",
            received=path,
            fix="Name a file, a folder or a glob of files.",
        )
    try:
        with open(path, "rb"):
            pass
    except OSError as error:
        raise _unreadable(path, error) from error


def _unreadable(path: str, error: OSError) -> DataError:
    return DataError(
        f"The data cannot be read: {error.strerror or error}.",
        where="data.path",
        received=path,
        fix="Check the permissions of the file and its folders.",
    )


def _missing(path: str) -> DataError:
    folder, name = os.path.split(path.rstrip("/"))
    folder = folder or "."
    if os.path.islink(path):
        return DataError(
            "The data is a link that leads nowhere.",
            where="data.path",
            received=f"{path} -> {os.readlink(path)}",
            fix="Mend the link or name the file itself.",
        )
    if not os.path.isdir(folder):
        there = _existing(folder)
        missing = os.path.relpath(folder, there).split(os.sep)[0]
        near = get_close_matches(missing, _names(there), n=1)
        hint = f"; did you mean {os.path.join(there, near[0])}?" if near else ""
        return DataError(
            "There is no such file: its folder does not exist.",
            where="data.path",
            received=path,
            fix=f"Check data.path; the last folder on the way that exists is {there}{hint}",
        )
    near = get_close_matches(name, _names(folder), n=1)
    hint = f"Did you mean {os.path.join(folder, near[0])}?" if near else f"Check data.path; {whats_there(folder)}"
    return DataError("There is no such file.", where="data.path", received=path, fix=hint)


def _existing(folder: str) -> str:
    while folder and not os.path.isdir(folder):
        folder = os.path.dirname(folder)
    return folder or "."


def _names(folder: str) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []


def whats_there(folder: str) -> str:
    """What a folder, or the nearest one above it that exists, holds: for messages."""
    if is_remote(folder):
        return whats_there_remotely(folder)
    folder = _existing(folder)
    names = _names(folder)
    if not names:
        return f"{folder} is empty."
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return f"{folder} holds {', '.join(names[:5])}{more}."
