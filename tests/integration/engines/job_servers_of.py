"""The job servers that runs have started."""

from __future__ import annotations

import contextlib
from pathlib import Path

from tests.integration.command_server import is_gone


def job_servers_of(output: Path) -> list[int]:
    """Processes that serve, or have served and not ended, a run below this folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it has just ended
            arguments = (process / "cmdline").read_bytes().decode(errors="replace").split("\0")
            ours = any(one.startswith(f"--artifacts-dir={output}/") for one in arguments)
            if ours and not is_gone(int(process.name)):
                found.append(int(process.name))
    return found
