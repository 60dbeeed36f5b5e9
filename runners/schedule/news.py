"""What is said of a schedule at work, and told to its hooks."""

from __future__ import annotations

import contextlib
import math
import os
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

from configs.schedule import Hook
from configs.settings import Settings
from runners.run_record import RunRecord
from runners.schedule.decision import Plan
from runners.schedule.hooks import Event, call
from runners.schedule.ledger import Held, Ledger
from runners.schedule.span_history import SpanHistory

_NEWS = timedelta(days=90)
_KEPT = 1000
_NEVER = datetime(1, 1, 1, tzinfo=timezone.utc) + _NEWS


class News:
    """Says and tells each event once, whatever is started again.

    The ledger is written after the hook was called: where this process is killed in between, the next one tells the
    same event, with the same id, a second time. What was before the first start is nobody's news, nor is a run that
    ended 90 days before the newest of all: it is told no more, and the ledger forgets it. A run that was lost on its
    orchestrator is noted in the ledger until it is told of.

    Args:
        settings: of the pipeline.
        ledger: its memory.
        folder: of the ledger.
        name: gives a span for people.
        say: takes a line for people.

    Attributes:
        failures: what was refused, given up or lost: a text for each, with its span, by the run's id.
        released: what was released: likewise, without ids.
    """

    def __init__(
        self, settings: Settings, ledger: Ledger, folder: Path, name: Callable[[int], str], say: Callable[[str], None]
    ) -> None:
        self.failures: dict[str, str] = {}
        self.released: deque[str] = deque(maxlen=_KEPT)
        self._pipeline, self._schedule = settings.name, settings.schedule
        self._ledger, self._folder, self._name, self._say = ledger, folder, name, say

    def tell_outcomes(self, histories: Mapping[int, SpanHistory], now: datetime) -> None:
        """Tells how runs have ended since it was last asked.

        Args:
            histories: by span.
            now: the time of the clock that they go by.

        Raises:
            OSError: the disk refuses the ledger.
        """
        # By the runs' own times, so that what was long ago stays so where nothing has run since. One that ended in the
        # future, on a machine whose clock was wrong, must not silence all others.
        ends = {span: history.ended for span, history in histories.items()}
        since = min(max(ends.values(), default=_NEVER), now) - _NEWS
        found = {span: self._outcome(history, since) for span, history in sorted(histories.items())}
        events = {span: event for span, event in found.items() if event}
        before = self._ledger.outcomes
        if before is None:
            self._ledger.outcomes = {span: event.id for span, event in events.items()}
        else:
            self._ledger.outcomes = {span: told for span, told in before.items() if ends.get(span, since) > since}
        if self._ledger.outcomes != before:
            self._ledger.save(self._folder)
        for span, event in events.items():
            if self._ledger.outcomes.get(span) != event.id:
                self._tell(event)
                self._ledger.outcomes[span] = event.id
                self._ledger.save(self._folder)

    def note_lost(self, run: RunRecord, why: str) -> None:
        """Notes that somebody is to be told of a run that was lost on its orchestrator, before its record is closed.

        Raises:
            OSError: the disk refuses the ledger.
        """
        self._fail(run.run_id, f"{self._name_of(run)}run {run.run_id} was lost")  # also where it is tried again
        if run.run_id not in self._ledger.lost:
            self._ledger.lost[run.run_id] = why
            self._ledger.save(self._folder)

    def forget_lost(self, run_id: str) -> None:
        """Nobody is to be told any more.

        Raises:
            OSError: the disk refuses the ledger.
        """
        self.failures.pop(run_id, None)
        self._ledger.lost.pop(run_id, None)
        self._ledger.save(self._folder)

    def tell_lost(self, run: RunRecord, history: SpanHistory | None, *, is_newest: bool) -> None:
        """Tells how a run has ended that was lost on its orchestrator and is closed now, and notes that it did.

        Args:
            run: as it was closed; also one that is none of the schedule's.
            history: of its span, with the run as the last one; None where it says nothing about a span.
            is_newest: whether no newer run is of this span.

        Raises:
            OSError: the disk refuses the ledger.
        """
        shown = f"What became of it: scalable-tf runs show {run.run_id}"
        self._say(f"{self._ledger.lost[run.run_id]} Run {run.run_id} is closed as {run.state}. {shown}")
        if run.state == "complete":
            self.failures.pop(run.run_id, None)
        event = None
        if history is not None and is_newest and run.trigger:  # the same event as `tell_outcomes` would tell
            event = self._outcome(history, _NEVER)
            event = event if event is not None and event.run == run.run_id else None
            if event is not None and self._ledger.outcomes is not None and run.span is not None:
                self._ledger.outcomes[run.span] = event.id  # written below, when it is told
        elif history is not None and (run.state == "complete" or (is_newest and history.progress != "trained")):
            event = self._event(run, history)
        if event is not None:
            self._tell(event)
        elif run.state != "complete":  # by another run, before or since
            event = Event(self._pipeline, run.span, "given up", run.run_id, run.trigger, run.attempt, run.message)
            self._call(self._schedule.on_failure, event)
        del self._ledger.lost[run.run_id]
        self._ledger.save(self._folder)

    def tell_gaps(self, plan: Plan) -> None:
        """Tells which spans have come to be missing since it was last asked.

        Raises:
            OSError: the disk refuses the ledger.
        """
        gaps = [one for one in plan.decisions if one.action == "gap"]
        if self._ledger.missing is None:
            self._ledger.missing = max((one.end for one in gaps), default=-1)
        for one in gaps:
            if one.end > self._ledger.missing:
                self._say(f"{self._name(one.end)}: missing.")
                self._call(self._schedule.on_failure, Event(self._pipeline, one.end, "missing", error=one.why))
                self._ledger.missing = one.end
                self._ledger.save(self._folder)

    def held_up(self, reason: str, now: datetime) -> float:
        """Notes that nothing can be done; tells that once, when it has lasted for schedule.held_up_seconds.

        Args:
            reason: one line.
            now: the time.

        Returns:
            Seconds until it is to be told; infinite when it has been.
        """
        held = self._ledger.held or Held(now)
        left = self._schedule.held_up_seconds - (now - held.since).total_seconds()
        if left <= 0 and not held.told:
            self._say(f"Held up since {held.since:%Y-%m-%d %H:%M:%S} UTC: {reason}")
            self._call(self._schedule.on_failure, self._hold_event("held up", held, reason))
            held = replace(held, told=True)
        if held != self._ledger.held:
            self._ledger.held = held
            with contextlib.suppress(OSError):  # the disk may be what is away
                self._ledger.save(self._folder)
        return math.inf if held.told else left

    def going_on(self) -> None:
        """Notes that things can be done; tells that where it was told that they could not.

        Raises:
            OSError: the disk refuses the ledger.
        """
        held = self._ledger.held
        if held is None:
            return
        if held.told:
            self._say(f"Going on, after a hold-up since {held.since:%Y-%m-%d %H:%M:%S} UTC.")
            self._call(self._schedule.on_failure, self._hold_event("going on", held, ""))
        self._ledger.held = None
        self._ledger.save(self._folder)

    def _outcome(self, history: SpanHistory, since: datetime) -> Event | None:
        """The event that a history ends with; None: nobody's news."""
        run = history.last
        if history.trained is not None and (run.state != "failed" or not run.trigger):
            run = history.trained
        # A user who has started one has seen how it ended; one that was lost on its orchestrator is closed first.
        is_news = run.trigger and run.state != "running" and history.end_of(run) > since
        return self._event(run, history) if is_news else None

    def _event(self, run: RunRecord, history: SpanHistory) -> Event | None:
        schedule = self._schedule
        event = Event(self._pipeline, run.span, "", run.run_id, run.trigger, run.attempt)
        if run == history.trained:
            if run.release:
                return replace(event, state="released", release=run.release)
            return replace(event, state="not released", error=run.reason)
        if history.progress == "ingested":
            return replace(event, state="ingested")
        if history.progress == "refused":
            return replace(event, state="refused", error=run.message)
        if history.progress != "failed" and history.trained is None:  # it is running, or will be gone on with
            return None
        if run.attempt > schedule.max_retries:
            return replace(event, state="given up", error=run.message)
        due = history.ended + timedelta(seconds=schedule.backoff(run.attempt))
        return replace(event, state="failed", error=run.message, next_try=due.isoformat(timespec="seconds"))

    def _tell(self, event: Event) -> None:
        text = f"{self._name_of(event)}{_in_words(event)}"
        self._say(text)
        if event.state in ("refused", "given up"):
            self._fail(event.run, text)
        elif event.state == "released":
            self.released.append(text)
        if event.state != "ingested":
            is_success = event.state in ("released", "not released")
            self._call(self._schedule.on_success if is_success else self._schedule.on_failure, event)

    def _fail(self, run_id: str, text: str) -> None:
        self.failures[run_id] = text
        while len(self.failures) > _KEPT:  # of a process that may work for years
            del self.failures[next(iter(self.failures))]

    def _name_of(self, one: RunRecord | Event) -> str:
        return "" if one.span is None else f"{self._name(one.span)}: "

    def _hold_event(self, state: str, held: Held, reason: str) -> Event:
        return Event(self._pipeline, None, state, error=reason, since=held.since.isoformat(timespec="seconds"))

    def _call(self, hook: Hook, event: Event) -> None:
        call(hook, event, os.environ)


def _in_words(event: Event) -> str:
    run = f"(run {event.run})"
    if event.state == "released":
        return f"released version {event.release} {run}."
    if event.state == "not released":
        return f"not released: {event.error or 'no reason is known'} {run}."
    if event.state == "failed":
        return f"failed: {event.error} {run}; next try {event.next_try}."
    if event.state == "given up":
        return f"failed: {event.error} {run}; given up after {event.attempt} attempts."
    return f"{event.state}: {event.error} {run}." if event.error else f"{event.state} {run}."
