"""One pipeline's schedule at work: it looks at everything, plans, and makes the runs, one after the other."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path

from components.example_gen.spans import shown_span
from configs.secret import mask_passwords
from configs.settings import Settings
from pipeline.pipeline import root
from runners.history.logged_error import logged_error
from runners.job import Job
from runners.output_lock import output_lock_holder
from runners.schedule.changes import Changes, with_span
from runners.schedule.child import Order, run_in_child
from runners.schedule.clock import Clock
from runners.schedule.decision import Decision, Plan
from runners.schedule.inventory import Inventory
from runners.schedule.ledger import Ledger
from runners.schedule.lost_run import close_lost_run
from runners.schedule.lost_runs import LostRun
from runners.schedule.news import News
from runners.schedule.records import Records, mark_ended, record_not_begun
from runners.schedule.served_metrics import not_measured, served_metrics
from runners.schedule.served_release import served_release
from runners.schedule.signals import newest_ingested, signals
from runners.schedule.situation import Arrived, Situation
from runners.schedule.span_history import SpanHistory, span_histories
from schemas.errors import RunError
from serving.releases import ReleaseStore

_LOGS_KEPT = 200

Planning = Callable[[Situation], Plan]
"""Makes a plan of a situation."""


class Scheduler:
    """The schedule of one pipeline.

    Args:
        settings: of the pipeline.
        clock: the time to go by.
        command: how a user would run a span by hand, up to the span.
        say: takes a line for people.

    Attributes:
        news: says and tells what becomes of spans.
        made: how many runs it has made.

    Raises:
        SettingsError: the data do not come in spans.
        DataError: the placeholders of `data.path` have no meaning.
    """

    def __init__(self, settings: Settings, clock: Clock, command: str, say: Callable[[str], None]) -> None:
        self.settings, self.clock, self.say = settings, clock, say
        self.folder = root(settings) / "schedule"
        self.inventory = Inventory(settings)
        self.ledger = Ledger.load(self.folder)
        self.news = News(settings, self.ledger, self.folder, self.name, say)
        self.made = 0
        self._changes = Changes(settings, self.inventory, self.ledger)
        self._records = Records((), {})
        self._command = command

    def look(self, *, by_hand: bool = False, at_work: bool = False) -> Situation:
        """The situation now.

        Args:
            by_hand: whether a user asks for a pass, whatever the time.
            at_work: whether what has become of spans is told, and the released model measured on a new one, where a
                trigger needs that.

        Raises:
            OSError: the disk refuses what is written.
            DataStoreError: the store of the data does not answer, or lets nobody in.
            RunError: the metadata store cannot be reached.
        """
        now = self.clock.now()
        found = self.inventory.arrived()
        records = self._records = Records.read(self.settings)
        histories = span_histories(records.runs, records.states, self._changes.since, self.clock.offset)
        situation = Situation(
            now, self._seen(found, histories, now), histories, self.ledger.passed, {}, self.inventory.dated, by_hand
        )
        self._forget(histories)
        if at_work:
            self.news.tell_outcomes(histories, now)
            self._measure(situation)
        # Releases have the machine's time, as runs have, which have been moved to that of the clock.
        found_signals = signals(self.settings, replace(situation, now=now - self.clock.offset))
        return replace(situation, signals=found_signals)

    def close_lost(self, *, tells: bool = True) -> bool:
        """Closes the records of runs that have been found to be lost on their orchestrator, and tells of them.

        Before a record is closed the ledger has that it is to be told of: a process that is killed in between, or does
        not reach the store, leaves that to the next one.

        Args:
            tells: whether it can; else only the ledger has what is to be told.

        Returns:
            Whether there was anything to do: then the situation is another one.

        Raises:
            RunError: the metadata store cannot be reached.
            OSError: the disk refuses the ledger.
        """
        found, self._records = self._records, replace(self._records, lost={})
        before, runs = dict(self.ledger.lost), {run.run_id: run for run in found.runs}
        for run_id, end in {**{run_id: LostRun(why) for run_id, why in before.items()}, **found.lost}.items():
            run = runs.get(run_id)
            if run is None or found.states[run_id] == "running":  # Kubeflow says by now that it goes on
                self.news.forget_lost(run_id)
                continue
            self.news.note_lost(run, end.why)
            if not close_lost_run(self.settings, run_id, end, os.environ, again=run_id in before):
                self.news.forget_lost(run_id)
        if tells and self.ledger.lost:
            records = Records.read(self.settings)
            newest = {history.last.run_id for history in self._histories(records).values()}
            for place, run in enumerate(records.runs):
                if run.run_id in self.ledger.lost:
                    until = self._histories(replace(records, runs=records.runs[place:]))
                    history = None if run.span is None else until.get(run.span)
                    is_last = history is not None and history.last.run_id == run.run_id
                    self.news.tell_lost(run, history if is_last else None, is_newest=run.run_id in newest)
        return bool(found.lost or (tells and before))

    def make(self, decision: Decision) -> None:
        """Makes the run of a decision; what became of it, the records say.

        Raises:
            RunError: another run is using the output_dir, or the metadata store cannot be reached.
            OSError: the log cannot be written, or no process be started.
            Interrupted: a signal ended this process; the run is marked and can go on later.
        """
        if decision.job is None:
            raise ValueError(decision)
        job = replace(decision.job, order=secrets.token_hex(8))
        self._check_free()
        self.news.going_on()
        before = self._records.newest(job.span)
        settings = with_span(self.settings, job.span)
        log = self._log(job.span)
        limit = self.settings.schedule.run_seconds
        self.say(f"{self.name(job.span)}: {decision.action}, {decision.why}. Log: {log}")
        order = Order(settings, job, f"{self._command} --set data.span={job.span}")
        self.made += 1
        in_time = run_in_child(order, log, limit)
        records = Records.read(self.settings)
        run, newest = records.of(job), records.newest(job.span)
        if run is not None:
            if fault := _fault(records.states[run.run_id], None if in_time else limit):
                mark_ended(self.settings, run, fault)
        elif newest is None or (before is not None and newest.run_id == before.run_id):  # else another one has made it
            self._check_free()
            if in_time:
                why = f"It could not begin: {(logged_error(log) or _last_line(log)).splitlines()[0]}"
            else:
                why = f"It took longer than schedule.run_seconds, {limit:g} s, before it began."
            record_not_begun(settings, job, order.command, mask_passwords(why))

    @property
    def logs(self) -> Path:
        """Where the output of runs is."""
        return root(self.settings) / "logs" / "schedule"

    def remember(self, passed: datetime) -> None:
        """Writes that the times of the schedule up to one have been worked off.

        Raises:
            OSError: the disk refuses it.
        """
        self.ledger.passed = passed
        self.ledger.save(self.folder)

    def name(self, span: int) -> str:
        """A span for people."""
        return f"Span {shown_span(span, self.inventory.dated)}"

    def _histories(self, records: Records) -> dict[int, SpanHistory]:
        return span_histories(records.runs, records.states, lambda _: False, self.clock.offset)

    def _measure(self, situation: Situation) -> None:
        """Has the release that is served evaluated on a new span that is ingested, once."""
        fresh = newest_ingested(situation) if self.settings.schedule.triggers.min_metric else None
        found = served_release(self.settings) if fresh is not None else None
        if fresh is None or found is None:
            return
        run, version = situation.histories[fresh].last.run_id, found.release.version
        folder = ReleaseStore(root(self.settings) / "releases", self.settings.model_name).versions()[version]
        known = served_metrics(self.settings, run)
        if known is not None and known["release"] == version:
            return
        self.say(f"{self.name(fresh)}: measuring release {found} on it.")
        order = Order(self.settings, Job(fresh, "metric", run_id=run), "", str(folder))
        log, limit = self._log(fresh), self.settings.schedule.run_seconds
        in_time = run_in_child(order, log, limit)
        measured = served_metrics(self.settings, run)
        if measured is None or measured["release"] != version:
            # Its process was killed, or took too long. Trainings do not wait for it.
            why = _last_line(log) if in_time else f"it took longer than schedule.run_seconds, {limit:g} s"
            not_measured(self.settings, run, version, why)
            self.say(f"{self.name(fresh)}: release {version} could not be measured: {why}. Log: {log}")

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

    def _log(self, span: int) -> Path:
        folder = self.logs
        folder.mkdir(parents=True, exist_ok=True)
        for old in sorted(folder.glob("*.log"))[: -_LOGS_KEPT + 1]:
            old.unlink(missing_ok=True)
        # The machine's time, whatever the clock's: the newest ones are kept.
        return folder / f"{datetime.now(timezone.utc):%Y%m%dT%H%M%S}-span-{span}.log"

    def _check_free(self) -> None:
        """A run that waits for another one to end has not failed."""
        if holder := output_lock_holder(root(self.settings)):
            raise RunError(
                "A run cannot begin: another one is using this output_dir.",
                where=str(root(self.settings)),
                received=holder,
                fix="It is waited for.",
            )


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
