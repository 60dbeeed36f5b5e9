"""What a schedule has done, and whether somebody works it off."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from components.example_gen.spans import shown_span
from configs.settings import Settings
from pipeline.pipeline import root
from runners.output_lock import output_lock_holder
from runners.run_record import RunRecord
from runners.schedule.decision import Action, Decision, Plan
from runners.schedule.plan import shown_time
from runners.schedule.served_release import served_release
from runners.schedule.situation import Situation
from runners.schedule.span_history import SpanHistory

State = Literal[
    "new", "missing", "skipped", "running", "interrupted", "ingested", "trained", "refused", "failed", "given up"
]
"""What a span is; the first three, and one that is refused because two names stand for it, no run has known."""

_UNKNOWN_TO_RUNS: dict[Action, State] = {"gap": "missing", "skipped": "skipped", "refused": "refused"}
_TO_BE = {"train": "to be trained on: ", "ingest": "to be ingested: "}


@dataclass(frozen=True)
class SpanStatus:
    """One span, or several that are missing in a row; of those that no run has known, only numbers, state and why.

    Attributes:
        span: its number; the first one's.
        end: the last one's number.
        state: what it is.
        run: id of its newest run, or of the training that is complete.
        trigger: what started that.
        attempt: which one it was.
        release: version of the released model, or 0.
        why: why it is that, or what is waited for; one line.
    """

    span: int
    end: int
    state: State
    run: str = ""
    trigger: str = ""
    attempt: int = 0
    release: int = 0
    why: str = ""


@dataclass(frozen=True)
class Status:
    """As JSON, this is `scalable-tf schedule status --json`.

    Attributes:
        pipeline: its name.
        daemon: who works the schedule off, or None.
        release: the version that is served, or None.
        label: `stable` where the version has it; empty: no version has, and it is the newest.
        released: when, ISO 8601.
        next_tick: ISO 8601, or None.
        spans: oldest first.
    """

    pipeline: str
    daemon: str | None
    release: int | None
    label: str
    released: str | None
    next_tick: str | None
    spans: list[SpanStatus] = field(default_factory=list)


def status(settings: Settings, situation: Situation, plan: Plan) -> Status:
    """The status.

    Args:
        settings: of the pipeline.
        situation: data, runs and clock.
        plan: of the next pass.
    """
    served = served_release(settings)
    return Status(
        settings.name,
        output_lock_holder(root(settings) / "schedule"),
        served.release.version if served else None,
        served.label if served else "",
        served.release.created.isoformat(timespec="seconds") if served else None,
        plan.next_tick.isoformat(timespec="seconds") if plan.next_tick else None,
        _spans(situation.histories, situation.arrived, plan),
    )


def print_status(found: Status, settings: Settings, console: Console, *, dated: bool, limit: int) -> None:
    """Prints it.

    Args:
        found: the status.
        settings: of the pipeline.
        console: where.
        dated: whether spans are days.
        limit: how many of the newest spans are shown.
    """
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for heading in ("Span", "State", "Run", "Trigger", "Release", "Why"):
        table.add_column(heading, no_wrap=heading != "Why")
    for one in found.spans[-limit:]:
        release = str(one.release) if one.release else ""
        span = shown_span(one.span, dated) + (f" to {shown_span(one.end, dated)}" if one.end != one.span else "")
        table.add_row(span, one.state, one.run, one.trigger, release, escape(one.why))
    if found.spans:
        console.print(table)
    if len(found.spans) > limit:
        console.print(f"and {len(found.spans) - limit} older ones", highlight=False)
    lines = [
        f"Worked off by {found.daemon}" if found.daemon else "Nobody works this schedule off now.",
        f"Served release: {found.release} ({found.label or 'the newest'}), of {found.released}"
        if found.release
        else "No model is released yet.",
    ]
    if found.next_tick:
        lines.append(f"Next time: {shown_time(settings.schedule, datetime.fromisoformat(found.next_tick))}")
    for line in lines:
        console.print(line, markup=False, highlight=False)


def _spans(histories: Mapping[int, SpanHistory], arrived: Container[int], plan: Plan) -> list[SpanStatus]:
    spans = []
    for one in plan.decisions:
        history = histories.get(one.span)
        if history is None:
            spans.append(SpanStatus(one.span, one.end, _unknown_state(one, arrived), why=_to_be(one)))
            continue
        run = history.trained if history.trained and history.progress == "trained" else history.last
        state: State = history.progress if history.progress != "failed" or one.action != "skipped" else "given up"
        why = _why(one, run, history)
        spans.append(SpanStatus(one.span, one.end, state, run.run_id, run.trigger, run.attempt, run.release, why))
    return spans


def _unknown_state(decision: Decision, arrived: Container[int]) -> State:
    """What a span is that no run has known."""
    state: State = "new" if decision.span in arrived else "missing"
    return _UNKNOWN_TO_RUNS.get(decision.action, state)


def _why(decision: Decision, run: RunRecord, history: SpanHistory) -> str:
    if history.progress in ("refused", "failed", "interrupted") and run.message:  # the run has a column of its own
        return run.message
    return _to_be(decision)


def _to_be(decision: Decision) -> str:
    return _TO_BE.get(decision.action, "") + decision.why.removeprefix("ingested; ")
