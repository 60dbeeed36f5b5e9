"""The times of a schedule, in UTC.

cronsim knows cron, and what becomes of it when clocks are changed: a time that the change leaves out comes as soon as
the clock is past it, one that comes twice counts once; with a star for minute or hour it goes by the time that passes.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta, timezone
from itertools import islice

from cronsim import CronSim

from configs.schedule import Schedule

_MINUTE = timedelta(minutes=1)
_EPOCH = date(1970, 1, 1)


def next_tick(schedule: Schedule, after: datetime) -> datetime | None:
    """The first time of the schedule after a moment; None without a cron expression."""
    return next(iter(next_ticks(schedule, after, 1)), None)


def next_ticks(schedule: Schedule, after: datetime, count: int) -> list[datetime]:
    """The first times after a moment."""
    return list(islice(_ticks(schedule, after), count))


def last_tick(schedule: Schedule, now: datetime) -> datetime | None:
    """The last time of the schedule up to a moment; None without a cron expression."""
    if schedule.cron is None:
        return None
    # The search back lands where no time of the schedule is when clocks are changed between: from there it goes on.
    # Releases of cronsim differ in where it begins: up to a minute ahead, or at the minute.
    back = CronSim(schedule.cron, now.astimezone(schedule.zone) + _MINUTE, reverse=True)
    found = next(one for one in back if one.astimezone(timezone.utc) <= now)
    start = found.astimezone(timezone.utc) - timedelta(hours=3)
    last = None
    for tick in _ticks(schedule, start):
        if tick > now:
            break
        last = tick
    return last


def end_of_day(schedule: Schedule, span: int) -> datetime:
    """When the day of a span, counted from 1970-01-01, is over in the zone of the schedule."""
    after = _EPOCH + timedelta(days=span + 1)
    return datetime(after.year, after.month, after.day, tzinfo=schedule.zone).astimezone(timezone.utc)


def span_of_day(day: date) -> int:
    """The span of a day."""
    return (day - _EPOCH).days


def _ticks(schedule: Schedule, after: datetime) -> Iterator[datetime]:
    if schedule.cron is None:
        return
    last = after.astimezone(timezone.utc)
    for found in CronSim(schedule.cron, after.astimezone(schedule.zone) - _MINUTE):
        tick = found.astimezone(timezone.utc)
        if tick > last:
            last = tick
            yield tick
