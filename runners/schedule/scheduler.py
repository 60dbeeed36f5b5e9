"""One pipeline's schedule at work: it looks at everything, plans, and makes the runs, one after the other."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from configs.fingerprint import settings_fingerprint
from configs.settings import Settings
from pipeline.pipeline import root
from runners.data_rules import data_rules
from runners.history.logged_error import logged_error
from runners.interrupt import Interrupted
from runners.job import Job
from runners.output_lock import output_lock_holder
from runners.run_record import RunRecord
from runners.schedule.child import Order, run_in_child
from runners.schedule.clock import Clock
from runners.schedule.decision import Decision, Plan
from runners.schedule.hooks import Event, call
from runners.schedule.inventory import Inventory
from runners.schedule.ledger import Ledger
from runners.schedule.lost_run import close_lost_run
from runners.schedule.records import Records, mark_failed
from runners.schedule.served_metrics import not_measured, served_metrics
from runners.schedule.signals import newest_ingested, signals
from runners.schedule.situation import Arrived, Situation
from runners.schedule.span_history import SpanHistory, span_histories
from schemas.errors import DataError, ScalableTFError
from serving.releases import ReleaseStore

_LOGS_KEPT = 200

Planning = Callable[[Situation], Plan]
"""Makes a plan of a situation."""


@dataclass(frozen=True)
class Made:
    """What became of one run.

    Attributes:
        history: of its span, after it.
        stumbled: why it could not even begin, or empty.
    """

    history: SpanHistory | None
    stumbled: str = ""


class Scheduler:
    """The schedule of one pipeline.

    Args:
        settings: of the pipeline.
        clock: the time to go by.
        command: how a user would run a span by hand, up to the span.
        say: takes a line for people.

    Attributes:
        failures: spans that were refused, or given up, so far.

    Raises:
        SettingsError: the data do not come in spans.
        DataError: the placeholders of `data.path` have no meaning.
    """

    def __init__(self, settings: Settings, clock: Clock, command: str, say: Callable[[str], None]) -> None:
        self.settings, self.clock, self.say = settings, clock, say
        self.folder = root(settings) / "schedule"
        self.inventory = Inventory(settings)
        self.ledger = Ledger.load(self.folder)
        self.failures = 0
        self._records = Records((), {})
        self._command = command

    def look(self, *, by_hand: bool = False, measure: bool = False) -> Situation:
        """The situation now.

        Args:
            by_hand: whether a user asks for a pass, whatever the time.
            measure: whether the released model is measured on a new span, where a trigger needs that.

        Raises:
            DataStoreError: the store of the data does not answer, or lets nobody in.
            RunError: the metadata store cannot be reached.
        """
        now = self.clock.now()
        found = self.inventory.arrived()
        records = self._records = Records.read(self.settings)
        histories = span_histories(records.runs, records.states, self._is_changed, self.clock.offset)
        situation = Situation(
            now, self._seen(found, histories, now), histories, self.ledger.passed, {}, self.inventory.dated, by_hand
        )
        self._forget(histories)
        if measure:
            self._measure(situation)
        return replace(situation, signals=signals(self.settings, situation))

    def close_lost(self) -> bool:
        """Closes the records of runs that have been found to be lost on their orchestrator, and tells of them.

        Returns:
            Whether there were any: then the situation is another one.

        Raises:
            RunError: the metadata store cannot be reached.
        """
        lost, self._records = self._records.lost, replace(self._records, lost={})
        for run_id, why in lost.items():
            if not close_lost_run(self.settings, run_id, why, os.environ):
                continue
            records = Records.read(self.settings)
            run = next(run for run in records.runs if run.run_id == run_id)
            self.say(f"{why} Run {run_id} is closed as {run.state}. What became of it: scalable-tf runs show {run_id}")
            histories = span_histories(records.runs, records.states, lambda _: False, self.clock.offset)
            if run.span is None or run.span not in histories or histories[run.span].last.run_id != run_id:
                continue
            before, history = self.failures, histories[run.span]
            if history.progress == "trained" and run.state != "complete":  # by another run, before
                event = Event(self.settings.name, run.span, "given up", run_id, run.trigger, run.attempt, run.message)
                call(self.settings.schedule.on_failure, event, os.environ)
            else:
                self._tell(history)
            if run.state != "complete":  # also one that is tried again: somebody is to look at it
                self.failures = before + 1
        return bool(lost)

    def make(self, decision: Decision) -> Made:
        """Makes the run of a decision.

        Raises:
            RunError: the metadata store cannot be reached.
            OSError: the log cannot be written, or no process be started.
            Interrupted: a signal ended this process; the run is marked and can go on later.
        """
        job = decision.job
        if job is None:
            raise ValueError(decision)
        if holder := output_lock_holder(root(self.settings)):
            return Made(None, f"another run is using this output_dir: {holder}")
        before = self._records.newest(job.span)
        data = self.settings.data.model_copy(update={"span": job.span})
        settings = self.settings.model_copy(update={"data": data})
        log = self._log(job.span)
        limit = self.settings.schedule.run_seconds
        self.say(f"{self.name(job.span)}: {decision.action}, {decision.why}. Log: {log}")
        order = Order(settings, job, f"{self._command} --set data.span={job.span}")
        try:
            in_time = run_in_child(order, log, limit)
        except Interrupted:
            with contextlib.suppress(ScalableTFError):  # it may have come to its end just now
                self._tell_new(job.span, before)
            raise
        records = Records.read(self.settings)
        after = records.newest(job.span)
        if after is not None and (fault := _fault(records.states[after.run_id], None if in_time else limit)):
            mark_failed(self.settings, after, fault)
            records = Records.read(self.settings)
            after = records.newest(job.span)
        if after is None or after == before:
            if not in_time:
                return Made(None, f"it took longer than schedule.run_seconds, {limit:g} s, before it began")
            return Made(None, (logged_error(log) or _last_line(log)).splitlines()[0])
        return Made(self._tell_new(job.span, before, records))

    @property
    def logs(self) -> Path:
        """Where the output of runs is."""
        return root(self.settings) / "logs" / "schedule"

    def tell_gaps(self, plan: Plan) -> None:
        """Says which spans have come to be missing since it was last asked, and calls the hook."""
        gaps = [one for one in plan.decisions if one.action == "gap"]
        newest = max((one.end for one in gaps), default=-1)
        if self.ledger.told is None:  # what is missing in the history before the first start is nobody's alarm
            self.ledger.told = newest
        for one in gaps:
            if one.end > self.ledger.told:
                self.say(f"{self.name(one.end)}: missing.")
                event = Event(self.settings.name, one.end, "missing", error=one.why)
                call(self.settings.schedule.on_failure, event, os.environ)
                self.ledger.told = one.end

    def remember(self, passed: datetime) -> None:
        """Writes that the times of the schedule up to one have been worked off.

        Raises:
            OSError: the disk refuses it.
        """
        self.ledger.passed = passed
        self.ledger.save(self.folder)

    def name(self, span: int) -> str:
        """A span for people."""
        from components.example_gen.spans import shown_span

        return f"Span {shown_span(span, self.inventory.dated)}"

    def _measure(self, situation: Situation) -> None:
        """Has the newest release evaluated on a new span that is ingested, once."""
        fresh = newest_ingested(situation) if self.settings.schedule.triggers.min_metric else None
        store = ReleaseStore(root(self.settings) / "releases", self.settings.model_name)
        versions = store.versions()
        if fresh is None or not versions:
            return
        run, newest = situation.histories[fresh].last.run_id, max(versions)
        known = served_metrics(self.settings, run)
        if known is not None and known["release"] == newest:
            return
        self.say(f"{self.name(fresh)}: measuring release {newest} on it.")
        order = Order(self.settings, Job(fresh, "metric", run_id=run), "", str(versions[newest]))
        log, limit = self._log(fresh), self.settings.schedule.run_seconds
        in_time = run_in_child(order, log, limit)
        measured = served_metrics(self.settings, run)
        if measured is None or measured["release"] != newest:
            # Its process was killed, or took too long. Trainings do not wait for it.
            why = _last_line(log) if in_time else f"it took longer than schedule.run_seconds, {limit:g} s"
            not_measured(self.settings, run, newest, why)
            self.say(f"{self.name(fresh)}: release {newest} could not be measured: {why}. Log: {log}")

    def _seen(self, found: dict[int, Arrived], histories: dict[int, SpanHistory], now: datetime) -> dict[int, Arrived]:
        for span in found:
            if span not in histories:
                self.ledger.seen.setdefault(span, now)
        return {span: replace(arrived, seen=self.ledger.seen.get(span)) for span, arrived in found.items()}

    def _forget(self, histories: dict[int, SpanHistory]) -> None:
        newest = max((span for span, history in histories.items() if history.trained), default=-1)
        refused = {span for span, history in histories.items() if history.progress in ("refused", "failed")}
        self.ledger.seen = {span: seen for span, seen in self.ledger.seen.items() if span > newest}
        self.ledger.prints = {span: one for span, one in self.ledger.prints.items() if span in refused}

    def _is_changed(self, run: RunRecord) -> bool:
        """Whether data or rules of a run that was refused, or failed, are others now; of a failed one also settings."""
        span = run.span
        if span is None:
            return False
        if run.rules and run.rules != data_rules(self._with_span(span)):
            return True
        if not run.data and run.settings and run.settings != settings_fingerprint(self._with_span(span)):
            return True
        if not run.data or self.settings.data.prepare is not None:  # then it is the fingerprint of what was prepared
            return False
        try:
            return self._print(span) != run.data
        except DataError:
            return False

    def _with_span(self, span: int) -> Settings:
        return self.settings.model_copy(update={"data": self.settings.data.model_copy(update={"span": span})})

    def _print(self, span: int) -> str:
        """Fingerprint of a span's files, which are read only when they look different from last time."""
        signature = self.inventory.signature(span)
        known = self.ledger.prints.get(span)
        if known is None or not signature or known[0] != signature:
            known = self.ledger.prints[span] = (signature, self.inventory.fingerprint(span))
        return known[1]

    def _log(self, span: int) -> Path:
        folder = self.logs
        folder.mkdir(parents=True, exist_ok=True)
        for old in sorted(folder.glob("*.log"))[: -_LOGS_KEPT + 1]:
            old.unlink(missing_ok=True)
        return folder / f"{self.clock.now():%Y%m%dT%H%M%S}-span-{span}.log"

    def _tell_new(self, span: int, before: RunRecord | None, records: Records | None = None) -> SpanHistory | None:
        """Says what became of a span since a record of it was read; gives its history."""
        known = records or Records.read(self.settings)
        histories = span_histories(known.runs, known.states, lambda _: False, self.clock.offset)
        if span in histories and histories[span].last != before:
            self._tell(histories[span])
        return histories.get(span)

    def _tell(self, history: SpanHistory) -> None:
        """Says what became of a span, and calls the hooks."""
        run, schedule = history.last, self.settings.schedule
        name = self.name(run.span or 0)
        event = Event(self.settings.name, run.span or 0, "", run.run_id, run.trigger, run.attempt)
        if history.progress == "trained":
            if run.release:
                self.say(f"{name}: released version {run.release} (run {run.run_id}).")
                event = replace(event, state="released", release=run.release)
            else:
                self.say(f"{name}: not released: {run.reason or 'no reason is known'} (run {run.run_id}).")
                event = replace(event, state="not released", error=run.reason)
            call(schedule.on_success, event, os.environ)
        elif history.progress == "ingested":
            self.say(f"{name}: ingested (run {run.run_id}).")
        elif history.progress == "refused":
            self.failures += 1
            self.say(f"{name}: refused: {run.message} (run {run.run_id}).")
            call(schedule.on_failure, replace(event, state="refused", error=run.message), os.environ)
        elif history.progress == "failed":
            again, state = "", "given up"
            if run.attempt <= schedule.max_retries:
                due = history.ended + timedelta(seconds=schedule.backoff(run.attempt))
                again, state = due.isoformat(timespec="seconds"), "failed"
            self.failures += state == "given up"
            then = f"next try {again}" if again else f"given up after {run.attempt} attempts"
            self.say(f"{name}: failed: {run.message} (run {run.run_id}); {then}.")
            call(schedule.on_failure, replace(event, state=state, error=run.message, next_try=again), os.environ)
        else:
            self.say(f"{name}: stopped: {run.message or 'its process was killed'} (run {run.run_id}).")


def _fault(state: str, limit: float | None) -> str:
    """Why a run, that nobody has asked to end but for the time it took, has not ended as it should; empty if it has."""
    if limit is not None and state != "complete":
        return f"It took longer than schedule.run_seconds, {limit:g} s."
    if state == "died":  # to go on with it at once would end alike
        return "Its process was killed. The kernel kills processes when memory runs out."
    return ""


def _last_line(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return lines[-1] if lines else f"its process said nothing; log: {log}"
