"""The time that a schedule goes by."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from schemas.errors import SettingsError


class Clock:
    """The time of this machine, or that of another moment which goes on from there.

    Days, times of the schedule and lateness go by it. Runs, logs and releases are made in the machine's time, and how
    long ago they were is told by that.

    Args:
        start: the time that it is now; None: that of this machine.
    """

    def __init__(self, start: datetime | None = None) -> None:
        self.offset = timedelta() if start is None else start - _now()

    def now(self) -> datetime:
        """The time, UTC."""
        return _now() + self.offset

    @classmethod
    def parse(cls, text: str | None) -> Clock:
        """The clock that begins at a time in ISO 8601, UTC where it names no zone.

        Raises:
            SettingsError: it is no such time.
        """
        if text is None:
            return cls()
        try:
            start = datetime.fromisoformat(text.replace("Z", "+00:00"))
        except ValueError as error:
            raise SettingsError(
                "This is not a time.", where="--now", received=text, fix="Write 2026-11-25T06:00:00+01:00."
            ) from error
        return cls(start if start.tzinfo else start.replace(tzinfo=timezone.utc))


def _now() -> datetime:
    return datetime.now(timezone.utc)
