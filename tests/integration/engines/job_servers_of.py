"""The job servers that runs have started."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from tests.integration.command_server import is_gone


def job_servers_of(output: Path) -> list[int]:
    """Processes that serve, or have served and not ended, a run below this folder: those that write to its logs."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it has just ended
            log = Path(os.readlink(process / "fd" / "1"))
            if log.name == "job-server.log" and log.is_relative_to(output) and not is_gone(int(process.name)):
                found.append(int(process.name))
    return found
