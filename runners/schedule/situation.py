"""All that a plan depends on beside the settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from runners.schedule.span_history import SpanHistory


@dataclass(frozen=True)
class Arrived:
    """A span whose data are there.

    Attributes:
        version: the newest, where the data have versions.
        seen: when it was first seen; None: just now.
        conflict: why it cannot be told which data are meant, or empty.
    """

    version: int | None = None
    seen: datetime | None = None
    conflict: str = ""


@dataclass(frozen=True)
class Situation:
    """The data, the runs and the clock.

    Attributes:
        now: the time, UTC.
        arrived: spans whose data are there.
        histories: what became of spans so far.
        passed: up to when the times of the schedule have been worked off; None: never yet.
        signals: triggers beside time that have fired, and why.
        dated: whether spans are days.
        by_hand: whether a user asks for a pass, whatever the time.
    """

    now: datetime
    arrived: Mapping[int, Arrived] = field(default_factory=dict)
    histories: Mapping[int, SpanHistory] = field(default_factory=dict)
    passed: datetime | None = None
    signals: Mapping[str, str] = field(default_factory=dict)
    dated: bool = False
    by_hand: bool = False
