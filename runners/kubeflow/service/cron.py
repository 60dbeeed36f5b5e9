"""When a recurring run starts: KFP's cron expressions, which begin with seconds and are in UTC.

The server reads them with robfig/cron, release 1: six fields, names of months and days, `*`, `?`, lists, ranges and
steps, and @hourly and the like; Sunday is 0 and never 7; nothing of L, W and #.
"""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass
from typing import Any

from schemas.errors import SettingsError

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_FIELDS: tuple[tuple[str, int, int, dict[str, int]], ...] = (
    ("second", 0, 59, {}),
    ("minute", 0, 59, {}),
    ("hour", 0, 23, {}),
    ("day of the month", 1, 31, {}),
    ("month", 1, 12, {name: number for number, name in enumerate(_MONTHS, start=1)}),
    ("day of the week", 0, 6, {name: number for number, name in enumerate(_DAYS)}),
)
_NAMED = {
    "@yearly": "0 0 0 1 1 *",
    "@annually": "0 0 0 1 1 *",
    "@monthly": "0 0 0 1 * *",
    "@weekly": "0 0 0 * * 0",
    "@daily": "0 0 0 * * *",
    "@midnight": "0 0 0 * * *",
    "@hourly": "0 0 * * * *",
}
_PART = re.compile(r"(?P<first>[\w*?]+)(?:-(?P<last>\w+))?(?:/(?P<step>\d+))?")
_FIX = 'Write minute, hour, day, month, day of the week, in UTC: --cron "0 3 * * *"; seconds may stand in front.'


@dataclass(frozen=True)
class Schedule:
    """When to start runs: by a cron expression or at an interval.

    Attributes:
        cron: in KFP's six fields; empty with an interval.
        seconds: of the interval; 0 with a cron expression.
        start: not before; None is at once.
        end: not after; None is for ever.
    """

    cron: str = ""
    seconds: int = 0
    start: datetime.datetime | None = None
    end: datetime.datetime | None = None

    def trigger(self) -> Any:
        """As kfp_server_api's V2beta1Trigger."""
        import kfp_server_api

        if self.cron:
            cron = kfp_server_api.V2beta1CronSchedule(cron=self.cron, start_time=self.start, end_time=self.end)
            return kfp_server_api.V2beta1Trigger(cron_schedule=cron)
        every = kfp_server_api.V2beta1PeriodicSchedule(
            interval_second=str(self.seconds), start_time=self.start, end_time=self.end
        )
        return kfp_server_api.V2beta1Trigger(periodic_schedule=every)

    def __str__(self) -> str:
        """For people."""
        when = f"cron {self.cron}" if self.cron else f"every {self.seconds} s"
        start = f", from {self.start:%Y-%m-%d %H:%M}" if self.start else ""
        return f"{when}{start}{f', until {self.end:%Y-%m-%d %H:%M}' if self.end else ''}"

    def next_starts(self, after: datetime.datetime, count: int) -> list[datetime.datetime]:
        """The next times at which a cron expression starts a run, in UTC; none for an interval."""
        from cronsim import CronSim

        if not self.cron:
            return []
        seconds, rest = self.cron.split(" ", 1)
        second = min(_values(seconds, _FIELDS[0], self.cron))
        begin = max(after, self.start) if self.start else after
        found = []
        for minute in CronSim(rest.replace("?", "*").upper(), begin - datetime.timedelta(minutes=1)):
            moment = minute.replace(second=second)
            if self.end is not None and moment > self.end:
                break
            if moment > begin:
                found.append(moment)
            if len(found) == count:
                break
        return found


def kfp_cron(expression: str) -> str:
    """An expression of five or six fields as the server takes it.

    Args:
        expression: minute, hour, day, month, day of the week; seconds may stand in front of them.

    Raises:
        SettingsError: it is no such expression, or never starts anything.
    """
    words = _NAMED.get(expression.strip().lower(), expression).split()
    if len(words) == 5:
        words = ["0", *words]
    if len(words) != 6:
        raise SettingsError("A cron expression has five fields, or six.", where="--cron", received=expression, fix=_FIX)
    words[5] = _without_seven(words[5])
    values = [_values(word, field, expression) for word, field in zip(words, _FIELDS, strict=True)]
    _, _, _, days, months, weekdays = values
    longest = {month: 29 if month == 2 else 30 if month in (4, 6, 9, 11) else 31 for month in months}
    if words[5] in ("*", "?") and min(days) > max(longest.values()):
        raise SettingsError(
            "There is no such day.", where="--cron", received=expression, fix="It would never start a run."
        )
    return " ".join(words)


def interval_seconds(text: str) -> int:
    """Seconds of an interval, which may be written as 90, 90s, 30m, 12h or 1d.

    Raises:
        SettingsError: it is no such interval.
    """
    match = re.fullmatch(r"(\d+)([smhd]?)", text.strip())
    seconds = int(match[1]) * {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}[match[2]] if match else 0
    if seconds < 1:
        raise SettingsError(
            "It is no interval.", where="--every", received=text, fix="Write seconds, or as 30m, 12h, 1d."
        )
    return seconds


def moment(text: str, option: str) -> datetime.datetime:
    """A time in ISO 8601, in UTC unless it says otherwise; the server keeps whole seconds.

    Raises:
        SettingsError: it is no such time.
    """
    try:
        found = datetime.datetime.fromisoformat(text.strip().replace("Z", "+00:00"))
    except ValueError as error:
        raise SettingsError("It is no time.", where=option, received=text, fix="Write 2027-01-31T03:00.") from error
    if found.tzinfo is None:
        found = found.replace(tzinfo=datetime.timezone.utc)
    return found.astimezone(datetime.timezone.utc).replace(microsecond=0)


def _without_seven(text: str) -> str:
    """Sunday as 0, also at the end of a range."""
    found = []
    for part in text.split(","):
        if part == "7":
            found.append("0")
        elif match := re.fullmatch(r"(\w+)-7", part):
            found.extend(["0"] if match[1] == "7" else [f"{match[1]}-6", "0"])
        else:
            found.append(part)
    return ",".join(found)


def _values(text: str, field: tuple[str, int, int, dict[str, int]], expression: str) -> set[int]:
    name, least, most, names = field
    found: set[int] = set()
    for part in text.split(","):
        match = _PART.fullmatch(part)
        if match is None or (match["first"] in ("*", "?") and match["last"]):
            raise _wrong(name, part, expression)
        if match["first"] in ("*", "?"):
            first, last = least, most
        else:
            first = _number(match["first"], name, names, expression)
            last = _number(match["last"], name, names, expression) if match["last"] else first
            if match["step"] and not match["last"]:
                last = most
        step = int(match["step"] or 1)
        if not (least <= first <= last <= most and step):
            raise _wrong(name, part, expression, f" It goes from {least} to {most}.")
        found.update(range(first, last + 1, step))
    return found


def _number(text: str, name: str, names: dict[str, int], expression: str) -> int:
    if text.isdigit():
        return int(text)
    if text.lower() not in names:
        raise _wrong(name, text, expression)
    return names[text.lower()]


def _wrong(name: str, part: str, expression: str, more: str = "") -> SettingsError:
    received = f"{part}, in {expression}"
    return SettingsError(
        f"The {name} of the cron expression is wrong.{more}", where="--cron", received=received, fix=_FIX
    )
