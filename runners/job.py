"""What the scheduler asks of one run."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Job:
    """One run of a schedule.

    Attributes:
        span: whose data.
        trigger: what started it, as in the run's record.
        tick: the time of the schedule that it is for, ISO 8601, UTC; empty where there is none.
        attempt: 1 for a first try.
        last: the node that it ends with; empty: the last of the pipeline.
        run_id: a run to go on with; empty: a new one.
        again: whether the span may have been done before.
        order: which order it is; the record of the run that carries it out has it too.
    """

    span: int
    trigger: str
    tick: str = ""
    attempt: int = 1
    last: str = ""
    run_id: str = ""
    again: bool = False
    order: str = ""
