"""What a schedule has done, and whether somebody works it off."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from components.example_gen.spans import shown_span
from configs.settings import Settings
from pipeline.pipeline import root
from runners.output_lock import output_lock_holder
from runners.schedule.decision import Plan
from runners.schedule.plan import shown_time
from runners.schedule.served_release import served_release
from runners.schedule.situation import Situation
from runners.schedule.span_history import SpanHistory


@dataclass(frozen=True)
class SpanStatus:
    """One span, or several that are missing in a row; of those that no run has known, only numbers, state and why.

    Attributes:
        span: its number; the first one's.
        end: the last one's number.
        state: trained, ingested, running, interrupted, refused, failed; or what the plan says of it.
        run: id of its newest run, or of the training that is complete.
        trigger: what started that.
        attempt: which one it was.
        release: version of the released model, or 0.
        why: why there is none.
    """

    span: int
    end: int
    state: str
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
        _spans(situation.histories, plan),
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


def _spans(histories: Mapping[int, SpanHistory], plan: Plan) -> list[SpanStatus]:
    spans = []
    for one in plan.decisions:
        history = histories.get(one.span)
        if history is None:
            spans.append(SpanStatus(one.span, one.end, one.action, why=one.why))
            continue
        run = history.trained or history.last
        state = history.progress if history.progress != "failed" or one.action != "skipped" else "given up"
        why = run.reason if history.trained else run.message
        spans.append(SpanStatus(one.span, one.end, state, run.run_id, run.trigger, run.attempt, run.release, why))
    return spans
