"""What is to become of each span: a pure function of the settings, the data that are there, the runs and the clock.

| the span                                               | what is done                                            |
|--------------------------------------------------------|---------------------------------------------------------|
| a training of it is complete                           | done, whether its model was released or not             |
| its data were refused                                  | refused, until data, rules or settings are others       |
| its run was killed                                     | resume                                                  |
| its run failed                                         | retry after a pause; skipped after `max_retries`        |
| a run of an orchestrator failed or was stopped         | retry likewise, by a run of our own                     |
| is new, its window is complete, and it is time         | train: the newest one only, unless `catch_up` is all    |
| is new, and a window needs it                          | ingest, which ends with its validation                  |
| is new, and no window needs it                         | skipped                                                 |
| is missing                                             | wait as long as `lateness_seconds` says, then gap       |

Nothing is trained on a span that is older than one that was trained on: its model would be the older one. What comes
after a span that is waited for waits, too, so that windows grow in order.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Literal

from components.example_gen.spans import shown_span
from configs.schedule import Schedule
from configs.window import Window
from pipeline import nodes
from runners.job import Job
from runners.schedule.decision import Decision, Opening, Plan
from runners.schedule.lost_runs import longest
from runners.schedule.situation import Situation
from runners.schedule.span_history import SpanHistory, own_run
from runners.schedule.standing import Standings
from runners.schedule.ticks import end_of_day, last_tick, next_tick, span_of_day

_MOMENT = timedelta(microseconds=1)


def make_plan(schedule: Schedule, window: Window, situation: Situation) -> Plan:
    """The plan of a pass.

    Args:
        schedule: the section of the settings.
        window: the section of the settings.
        situation: everything else.
    """
    decisions: list[Decision] = []
    behind = ""
    for decision in _Deciding(schedule, window, situation).decisions():
        if behind and decision.job is not None:
            decision = replace(decision, action="wait", why=f"behind {behind}, which is waited for", job=None, due=None)
        if decision.action == "wait" and decision.due is not None:
            behind = behind or f"span {shown_span(decision.span, situation.dated)}"
        decisions.append(decision)
    return Plan(
        tuple(decisions),
        opening(schedule, situation),
        next_tick(schedule, situation.now),
        watching=schedule.triggers.is_set
        or _may_be_late(schedule, situation)
        or any(one.action == "wait" and one.span not in situation.arrived for one in decisions),
    )


def opening(schedule: Schedule, situation: Situation) -> Opening | None:
    """Why trainings may begin now; None: it is not time."""
    tick = last_tick(schedule, situation.now)
    if tick is not None:
        passed = situation.passed
        is_new = schedule.catch_up != "none" if passed is None else passed < tick
        if is_new or _may_be_late(schedule, situation):
            return Opening("cron", f"it is past {shown_time(schedule, tick)}", tick)
    if situation.by_hand:
        return Opening("manual", "asked for")
    for trigger, why in situation.signals.items():
        return Opening(trigger, why)
    return Opening("new_span", "it is new") if schedule.triggers.new_span else None


def shown_time(schedule: Schedule, moment: datetime) -> str:
    """A time for people: in the schedule's zone."""
    return moment.astimezone(schedule.zone).strftime("%Y-%m-%d %H:%M %Z")


def _may_be_late(schedule: Schedule, situation: Situation) -> bool:
    """Whether it is so soon after a time of the schedule that what comes now still belongs to it."""
    tick = last_tick(schedule, situation.now) if schedule.lateness_seconds else None
    return tick is not None and situation.now <= tick + timedelta(seconds=schedule.lateness_seconds)


class _Deciding:
    """The decisions; a class because each of them needs everything."""

    def __init__(self, schedule: Schedule, window: Window, situation: Situation) -> None:
        self._schedule, self._window, self._situation = schedule, window, situation
        self._standings = Standings(schedule, window, situation)
        self._opening = opening(schedule, situation)

    def decisions(self) -> Iterator[Decision]:
        """In the order of the spans."""
        step = self._window.step
        previous: int | None = None
        for span in self._standings.by_span:
            if previous is not None:
                yield from self._missing(range(previous + step, span, step), newer=span)
            yield self._decide(span)
            previous = span
        if previous is not None and self._situation.dated:
            yield from self._missing(self._expected_after(previous), newer=None)

    def _decide(self, span: int) -> Decision:
        standing = self._standings.by_span[span]
        history = self._situation.histories.get(span)
        if standing == "conflict":
            return self._say(span, "refused", self._situation.arrived[span].conflict)
        if standing == "gone":
            return self._say(span, "gap", "its data are gone")
        if history is None or standing in ("fresh", "ingested"):
            return self._decide_new(span, is_ingested=standing == "ingested")
        if standing == "trained":
            return self._say(span, "done", self._result(history, self._situation.arrived.get(span)))
        if standing == "refused":
            return self._say(span, "refused", f"{history.last.message} (run {history.last.run_id})")
        if standing == "running":
            due = self._situation.now + timedelta(seconds=self._schedule.poll_seconds)
            why = f"run {history.last.run_id} is at it"
            if history.last.orchestrator:
                limit = longest(self._schedule.run_seconds)
                why += f", on {history.last.orchestrator}; it counts as failed after {limit}"
            return replace(self._say(span, "wait", why), due=due)
        if standing == "interrupted":
            why = f"run {history.last.run_id} was stopped: {history.last.message or 'it was killed'}"
            return self._run_again(span, "resume", why, history, history.last.attempt)
        return self._decide_failed(span, history, given_up=standing == "given up")

    def _decide_failed(self, span: int, history: SpanHistory, *, given_up: bool) -> Decision:
        attempt = history.last.attempt
        why = f"attempt {attempt} failed: {history.last.message} (run {history.last.run_id})"
        if given_up:
            return self._say(span, "skipped", f"given up: {why}")
        due = history.ended + timedelta(seconds=self._schedule.backoff(attempt))
        if due > self._situation.now:
            return replace(self._say(span, "wait", f"{why}; next try {self._at(due)}"), due=due, retried=True)
        return self._run_again(span, "retry", why, history, attempt + 1)

    def _decide_new(self, span: int, *, is_ingested: bool) -> Decision:
        standings, targets = self._standings, self._standings.targets
        if span in targets:
            if self._opening is not None:
                return self._run(span, "train", self._opening.why)
            if is_ingested or not self._schedule.triggers.by_content:
                return self._say(span, "wait", self._until_next_tick())
            return self._run(span, "ingest", "to see whether a trigger fires", last=nodes.ANOMALY_GATE)
        if span < standings.newest_trained:
            newest = f"span {self._shown(standings.newest_trained)}"
            why = f"{newest} is trained on" if is_ingested else f"it came after {newest} was trained on"
        elif span not in self._situation.arrived:
            why = "its data are gone"
        else:
            newer = max(targets, default=standings.newest_running)
            why = standings.lacks(span) or f"span {self._shown(newer)} is newer"
        if is_ingested:
            return self._say(span, "done", f"ingested; {why}")
        if not standings.is_needed(span):
            return self._say(span, "skipped", why)
        if self._opening is None and not self._schedule.triggers.by_content:
            return self._say(span, "wait", f"{self._until_next_tick()}, to be ingested: {why}")
        return self._run(span, "ingest", why, last=nodes.ANOMALY_GATE)

    def _missing(self, spans: range, newer: int | None) -> Iterator[Decision]:
        """What is said of spans in a row that are not there: the last ones may still come."""
        left = len(spans)
        while left and self._deadline(spans[left - 1], newer) > self._situation.now:
            left -= 1
        if left:
            yield Decision(spans[0], "gap", "it is missing" if left == 1 else "they are missing", end=spans[left - 1])
        for span in spans[left:]:
            due = self._deadline(span, newer)
            yield Decision(span, "wait", f"it may come until {self._at(due)}", end=span, due=due)

    def _deadline(self, span: int, newer: int | None) -> datetime:
        """Until when a span that is not there may come: some time after the tick that it is for."""
        if self._situation.dated:
            due = self._due(span)
        else:
            # The next one may have come first; before what was trained on nothing is waited for.
            arrived = self._situation.arrived.get(newer) if newer is not None else None
            is_open = newer is None or newer > self._standings.newest_trained
            due = ((arrived and arrived.seen) or self._situation.now) if is_open else _NEVER
        return due + timedelta(seconds=self._schedule.lateness_seconds)

    def _due(self, day: int) -> datetime:
        """The tick that the data of a day are for: the first one after its end."""
        end = end_of_day(self._schedule, day)
        return next_tick(self._schedule, end - _MOMENT) or end

    def _expected_after(self, newest: int) -> range:
        """Days after the newest one whose data should be there."""
        step = self._window.step
        today = span_of_day(self._situation.now.astimezone(self._schedule.zone).date())
        expected = range(newest + step, today + 1, step)
        while expected and self._due(expected[-1]) > self._situation.now:
            expected = expected[:-1]
        return expected

    def _say(self, span: int, action: Literal["wait", "gap", "done", "refused", "skipped"], why: str) -> Decision:
        return Decision(span, action, why, end=span, version=self._version(span))

    def _run(self, span: int, action: Literal["train", "ingest"], why: str, last: str = "") -> Decision:
        trigger, tick = ("", None) if self._opening is None else (self._opening.trigger, self._opening.tick)
        job = Job(span, trigger or "new_span", tick.isoformat(timespec="seconds") if tick else "", last=last)
        return Decision(span, action, why, end=span, version=self._version(span), job=job)

    def _run_again(
        self, span: int, action: Literal["resume", "retry"], why: str, history: SpanHistory, attempt: int
    ) -> Decision:
        last = history.last
        job = Job(span, last.trigger or "manual", last.tick, attempt, last.last, own_run(last))
        return Decision(span, action, why, end=span, version=self._version(span), job=job)

    def _result(self, history: SpanHistory, arrived: object) -> str:
        trained = history.trained or history.last
        told = f"released version {trained.release}" if trained.release else trained.reason or "no release"
        version = self._version(history.last.span or 0) if arrived is not None else None
        newer = version is not None and trained.version is not None and version > trained.version
        return told + (f"; version {version} of its data has come since" if newer else "")

    def _version(self, span: int) -> int | None:
        arrived, history = self._situation.arrived.get(span), self._situation.histories.get(span)
        return arrived.version if arrived else history.last.version if history else None

    def _until_next_tick(self) -> str:
        tick = next_tick(self._schedule, self._situation.now)
        if tick is None and not self._schedule.is_set:
            return "until it is asked for: no time and no trigger is set"
        return f"until {self._at(tick)}" if tick else "until a trigger fires"

    def _at(self, moment: datetime) -> str:
        return shown_time(self._schedule, moment)

    def _shown(self, span: int) -> str:
        return shown_span(span, self._situation.dated)


_NEVER = datetime.min.replace(tzinfo=timezone.utc)
