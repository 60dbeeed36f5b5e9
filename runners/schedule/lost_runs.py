"""Runs of an orchestrator that will not end any more: deleted there, or heard nothing of for too long.

Nothing of ours lives as long as such a run: only who walks its graph can tell whether it goes on. Where that one is not
asked, or does not answer, a run is given up after a time, so that it does not hold the schedule for ever.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from runners.run_record import RunRecord

DELETED = "DELETED"
"""Beside the states of Kubeflow's runs: it knows no such run."""
CANCELED = ("CANCELED", "CANCELLED")
"""The state of a run that somebody has terminated; older servers spell it the second way."""
LONGEST = timedelta(days=7)
"""Where schedule.run_seconds says nothing."""
_OVER = {
    DELETED: "It was deleted",
    **dict.fromkeys(CANCELED, "It was terminated"),
    "FAILED": "It has failed",
    "SUCCEEDED": "It is over",
    "SKIPPED": "It is over",
}


@dataclass(frozen=True)
class LostRun:
    """How a run has ended of which nobody has written it.

    Attributes:
        why: what is known of its end, for people.
        canceled: whether somebody has terminated it.
    """

    why: str
    canceled: bool = False


def longest(run_seconds: float | None) -> str:
    """How long a run of which nothing is heard may take, for people."""
    return "a week" if run_seconds is None else f"schedule.run_seconds, {run_seconds:g} s"


def lost_runs(
    records: Iterable[RunRecord], run_seconds: float | None, now: datetime, ask: Callable[[str], str] | None
) -> dict[str, LostRun]:
    """Why each run that says it is running will not end any more, by its id.

    Args:
        records: runs of a pipeline.
        run_seconds: how long a run may take; None: a week.
        now: the time.
        ask: gives the state that a run has on Kubeflow, empty where it does not answer; None: nobody is asked.
    """
    limit = LONGEST if run_seconds is None else timedelta(seconds=run_seconds)
    found = {}
    for record in records:
        if record.state != "running" or not record.orchestrator:
            continue
        state = ask(record.run_id) if ask is not None else ""
        if state in _OVER:
            why = f"{_OVER[state]} on {record.orchestrator}, and nobody has closed its record here."
            found[record.run_id] = LostRun(why, state in CANCELED)
        elif not state and now - datetime.fromisoformat(record.started) > limit:
            why = f"It has run on {record.orchestrator} for longer than {longest(run_seconds)}."
            found[record.run_id] = LostRun(why)
    return found
