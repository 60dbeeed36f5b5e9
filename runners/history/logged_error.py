"""The error that ended a node, found at the end of its log."""

from __future__ import annotations

import os
import re
from pathlib import Path

from schemas.errors import RunError

_LAST_BYTES = 1 << 16
_ERROR = re.compile(r"^(?:[A-Za-z_]\w*\.)*(?P<kind>[A-Z]\w*(?:Error|Exception|Interrupt|Exit))(?:: (?P<text>.*))?$")
_OURS = "schemas.errors."


def logged_error(log: Path) -> str | None:
    """The last error of a log with its lines `Where:`, `Received:` and `Fix:`, or None.

    Errors of our own family are what they say; of others the class is named too.
    """
    found = _last_error(log)
    if found is None:
        return None
    kind, first, rest, is_ours = found
    if not is_ours:
        first = f"{kind}: {first}" if first else kind
    return "\n".join([first, *rest])


def logged_error_class(log: Path) -> str:
    """The class that a runner gives the last error of a log: one that is not of our own family is a RunError."""
    found = _last_error(log)
    return found[0] if found is not None and found[3] else RunError.__name__


def _last_error(log: Path) -> tuple[str, str, list[str], bool] | None:
    """Class, text, the lines that belong to it, and whether it is of our own family."""
    lines = _last_lines(log)
    for place in range(len(lines) - 1, -1, -1):
        found = _ERROR.match(lines[place])
        if found is None:
            continue
        rest = []
        for line in lines[place + 1 :]:
            if not line.startswith("  "):
                break
            rest.append(line)
        return found["kind"], found["text"] or "", rest, lines[place].startswith(_OURS)
    return None


def _last_lines(log: Path) -> list[str]:
    try:
        with log.open("rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - _LAST_BYTES))
            return file.read().decode("utf-8", "replace").splitlines()
    except OSError:
        return []
