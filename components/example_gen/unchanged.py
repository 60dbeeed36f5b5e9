"""Notices files that change while they are read."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

from components.example_gen.data_files import size_of
from components.example_gen.fingerprint import fingerprint
from schemas.errors import DataError, ScalableTFError


@contextmanager
def unchanged(files: Sequence[str], known: str) -> Iterator[None]:
    """Reads files that nobody may change meanwhile.

    A change also explains most errors that reading half of one version and half of another gives, so it is told first.

    Args:
        files: what the `with` block reads.
        known: their fingerprint from before.

    Raises:
        DataError: a file was written, replaced or deleted.
    """
    sizes = {path: _size(path) for path in files}
    try:
        yield
    except ScalableTFError as error:
        _check(files, known, sizes, error)
        raise
    _check(files, known, sizes, None)


def _check(files: Sequence[str], known: str, sizes: dict[str, int | None], cause: ScalableTFError | None) -> None:
    with suppress(OSError):  # of a file that is gone
        if fingerprint(files) == known:
            return
    now = {path: _size(path) for path in files}
    changed = [path for path in files if now[path] is None or now[path] != sizes[path]]
    path = changed[0] if changed else files[0]
    raise DataError(
        "The data changed while it was read.",
        where=path if changed or len(files) == 1 else f"{os.path.dirname(path)} ({len(files)} files)",
        received=_difference(sizes[path], now[path]) if changed else "other content than when the run started",
        fix="Run again when the files are complete; whoever writes them should write under another name and rename "
        "the finished file into place.",
    ) from cause


def _difference(before: int | None, after: int | None) -> str:
    if after is None:
        return "the file is gone"
    return f"{after} bytes, {before} when the run started" if before is not None else f"{after} bytes, gone before"


def _size(path: str) -> int | None:
    try:
        return size_of(path)
    except OSError:
        return None
