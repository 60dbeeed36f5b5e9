"""What working through history does: each span from one to another, in order, is trained on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from components.example_gen.spans import shown_span
from configs.schedule import Schedule
from configs.window import Window
from pipeline import nodes
from runners.job import Job
from runners.schedule.decision import BACKFILL, Decision, Opening, Plan
from runners.schedule.plan import shown_time
from runners.schedule.situation import Situation
from runners.schedule.span_history import SpanHistory, own_run
from runners.schedule.standing import Standings

_WHY = "asked for"


@dataclass(frozen=True)
class Backfill:
    """A way through history.

    Args:
        schedule: the section of the settings.
        window: the section of the settings.
        first: the span to begin with.
        last: the span to end with.
        before: what had become of the spans when it began: what failed or was refused then is tried once more.
        again: whether spans are trained on that were before.
    """

    schedule: Schedule
    window: Window
    first: int
    last: int
    before: Mapping[int, SpanHistory]
    again: bool = False

    def plan(self, situation: Situation) -> Plan:
        """The plan of a pass."""
        arrived = {span: one for span, one in situation.arrived.items() if self.first <= span <= self.last}
        # What failed or was refused before is tried once more, so it may yet be a part of windows.
        settled = {span: one for span, one in situation.histories.items() if not self._is_to_be_tried(span, one)}
        standings = Standings(self.schedule, self.window, replace(situation, arrived=arrived, histories=settled))
        decisions: list[Decision] = []
        previous: int | None = None
        blocked = False
        for span in sorted(arrived):
            if previous is not None:
                missing = range(previous + self.window.step, span, self.window.step)
                if missing:
                    why = "it is missing" if len(missing) == 1 else "they are missing"
                    decisions.append(Decision(missing[0], "gap", why, end=missing[-1]))
            decision = replace(self._decide(span, situation, standings), version=arrived[span].version)
            if blocked and decision.job is not None:
                decision = replace(decision, action="wait", why="behind a span that is waited for", job=None)
            blocked = blocked or decision.action == "wait"
            decisions.append(decision)
            previous = span
        return Plan(tuple(decisions), Opening(BACKFILL, _WHY))

    def _is_to_be_tried(self, span: int, history: SpanHistory) -> bool:
        is_failed = history.progress in ("refused", "failed")
        return self.first <= span <= self.last and is_failed and history == self.before.get(span)

    def _decide(self, span: int, situation: Situation, standings: Standings) -> Decision:
        history, conflict = situation.histories.get(span), situation.arrived[span].conflict
        if conflict:
            return Decision(span, "refused", conflict, end=span)
        if history is not None and history.progress == "running":
            return Decision(span, "wait", f"run {history.last.run_id} is at it", end=span)
        if history is not None and history.progress == "interrupted":
            return self._resume(span, history)
        if history is None or history == self.before.get(span) or history.changed:
            return self._begin(span, history, standings)
        return self._after(span, history, situation, standings)

    def _begin(self, span: int, history: SpanHistory | None, standings: Standings) -> Decision:
        if history is not None and history.trained and not self.again:
            return Decision(span, "done", f"run {history.trained.run_id} is complete", end=span)
        lack = standings.lacks(span)
        if lack and history is not None and history.ingested and not self.again:
            return Decision(span, "done", f"ingested; {lack}", end=span)
        job = Job(span, BACKFILL, last=nodes.ANOMALY_GATE if lack else "", again=self.again)
        return Decision(span, "ingest" if lack else "train", lack or _WHY, end=span, job=job)

    def _after(self, span: int, history: SpanHistory, situation: Situation, standings: Standings) -> Decision:
        """What follows a run that this backfill has made."""
        run = history.last
        if history.progress == "trained" and run.state != "failed":
            return Decision(span, "done", f"run {run.run_id} is complete", end=span)
        if history.progress == "ingested":
            lack = standings.lacks(span)
            if lack:
                return Decision(span, "done", f"ingested; {lack}", end=span)
            return self._begin(span, None, standings)
        if history.progress == "refused":
            return Decision(span, "refused", f"{run.message} (run {run.run_id})", end=span)
        why = f"attempt {run.attempt} failed: {run.message} (run {run.run_id})"
        if run.attempt > self.schedule.max_retries:
            return Decision(span, "skipped", f"given up: {why}", end=span)
        due = history.ended + timedelta(seconds=self.schedule.backoff(run.attempt))
        if due > situation.now:
            text = f"{why}; next try {shown_time(self.schedule, due)}"
            return Decision(span, "wait", text, end=span, due=due, retried=True)
        job = Job(span, BACKFILL, "", run.attempt + 1, run.last, own_run(run), again=self.again)
        return Decision(span, "retry", why, end=span, job=job)

    def _resume(self, span: int, history: SpanHistory) -> Decision:
        run = history.last
        job = Job(span, run.trigger or BACKFILL, run.tick, run.attempt, run.last, run.run_id, again=self.again)
        return Decision(span, "resume", f"run {run.run_id} was stopped", end=span, job=job)


def shown_range(first: int, last: int, dated: bool) -> str:
    """The spans of a backfill, for people."""
    return f"{shown_span(first, dated)} to {shown_span(last, dated)}"
