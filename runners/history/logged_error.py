"""The error that ended a node, found at the end of its log."""

from __future__ import annotations

import os
import re
from pathlib import Path

_LAST_BYTES = 1 << 16
_ERROR = re.compile(r"^(?:[A-Za-z_]\w*\.)*(?P<kind>[A-Z]\w*(?:Error|Exception|Interrupt|Exit))(?:: (?P<text>.*))?$")


def logged_error(log: Path) -> str | None:
    """The last error of a log with its lines `Where:`, `Received:` and `Fix:`, or None.

    Errors of our own family are what they say; of others the class is named too.
    """
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
        first = found["text"] or ""
        if not lines[place].startswith("schemas.errors."):
            first = f"{found['kind']}: {first}" if first else found["kind"]
        return "\n".join([first, *rest])
    return None


def _last_lines(log: Path) -> list[str]:
    try:
        with log.open("rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - _LAST_BYTES))
            return file.read().decode("utf-8", "replace").splitlines()
    except OSError:
        return []
