"""What is to become of a span, and why."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from runners.job import Job

Action = Literal["train", "ingest", "resume", "retry", "wait", "gap", "done", "refused", "skipped"]
"""The first four make a run."""


BACKFILL = "backfill"
"""The trigger of a way through history."""


@dataclass(frozen=True)
class Decision:
    """What is to become of a span, or of spans that are missing in a row.

    Attributes:
        span: its number; the first one's.
        action: what is to be done.
        why: in words.
        end: the last one's number.
        version: of its data, where they have versions.
        job: the run to make, for actions that make one.
        due: when it will be time, where that is known.
        retried: whether it has failed, and what is waited for is the next try.
    """

    span: int
    action: Action
    why: str
    end: int
    version: int | None = None
    job: Job | None = None
    due: datetime | None = None
    retried: bool = False

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "span": self.span,
            "end": self.end,
            "version": self.version,
            "action": self.action,
            "why": self.why,
            "due": self.due and self.due.isoformat(timespec="seconds"),
            "run": self.job.run_id if self.job else "",
        }


@dataclass(frozen=True)
class Opening:
    """Why trainings may begin now.

    Attributes:
        trigger: as runs record it.
        why: in words.
        tick: the time of the schedule, where it is one.
    """

    trigger: str
    why: str
    tick: datetime | None = None


@dataclass(frozen=True)
class Plan:
    """What a pass over all spans does.

    Attributes:
        decisions: by span, oldest first.
        opening: why trainings may begin; None: they may not.
        next_tick: the next time of the schedule, where it has times.
        watching: whether it is to be looked for spans before that.
    """

    decisions: tuple[Decision, ...] = ()
    opening: Opening | None = None
    next_tick: datetime | None = None
    watching: bool = False
    jobs: tuple[Decision, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "jobs", tuple(decision for decision in self.decisions if decision.job is not None))

    @property
    def next_due(self) -> datetime | None:
        """When the first thing that is waited for will be due."""
        return min((decision.due for decision in self.decisions if decision.due and not decision.job), default=None)
