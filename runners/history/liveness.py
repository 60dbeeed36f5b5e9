"""Whether a run that says it is running still is: a killed one could not say anything else any more."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from runners.output_lock import output_lock_holder
from runners.run_record import RunRecord

State = Literal["running", "complete", "failed", "interrupted", "unknown", "died"]
"""As a run's record has it, and `died`: it says running, but nobody holds the lock of its output_dir."""


def states(records: Sequence[RunRecord]) -> dict[str, State]:
    """The state of each run by its id.

    Args:
        records: all runs of a pipeline, newest first: of several that say they are running in one output_dir only one
            holds its lock.
    """
    found: dict[str, State] = {}
    taken: set[str] = set()
    for record in records:
        found[record.run_id] = record.state
        # The process of an orchestrator's run is another one for each node: only its record says how far it is.
        if record.state == "running" and not record.orchestrator:
            if record.output_dir in taken or not _is_alive(record):
                found[record.run_id] = "died"
            else:
                taken.add(record.output_dir)
    return found


def _is_alive(record: RunRecord) -> bool:
    folder = Path(record.output_dir)
    if not record.output_dir or not folder.is_dir():
        return True  # on another machine: nothing here can tell
    if output_lock_holder(folder) is None:
        return False
    # The lock may be that of a later run, or of a clean.
    return record.host != os.uname().nodename or Path("/proc", str(record.pid)).is_dir()
