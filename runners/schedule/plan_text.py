"""A plan for people."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from components.example_gen.spans import shown_span
from configs.schedule import Schedule
from runners.schedule.decision import Action, Decision, Plan
from runners.schedule.plan import shown_time

_STYLES: dict[Action, str] = {
    "train": "bold green",
    "ingest": "green",
    "resume": "yellow",
    "retry": "yellow",
    "wait": "cyan",
    "gap": "magenta",
    "done": "dim",
    "refused": "red",
    "skipped": "dim",
}


def print_plan(plan: Plan, schedule: Schedule, console: Console, *, place: str, dated: bool, limit: int) -> None:
    """Prints what a pass would do.

    Args:
        plan: the plan.
        schedule: the section of the settings.
        console: where.
        place: where spans are looked for.
        dated: whether spans are days.
        limit: how many of the newest spans are shown.
    """
    if not plan.decisions:
        console.print(f"No span is there yet: {place}", markup=False, highlight=False)
    else:
        console.print(decisions_table(plan.decisions[-limit:], dated))
    if len(plan.decisions) > limit:
        console.print(f"and {len(plan.decisions) - limit} older ones", highlight=False)
    _print_gaps(plan.decisions[-limit:], console, dated=dated)
    if plan.opening is not None:
        console.print(f"Trainings may begin: {plan.opening.why}.", markup=False, highlight=False)
    if plan.next_tick is not None:
        console.print(f"Next time: {shown_time(schedule, plan.next_tick)}", markup=False, highlight=False)
    if not schedule.is_set:
        console.print("Nothing starts a training by itself: schedule.cron and schedule.triggers are not set.")


def _print_gaps(decisions: Sequence[Decision], console: Console, *, dated: bool) -> None:
    """What the rows mean that are of no data: of days long past, they may be most of what is seen."""
    if not any(one.action == "gap" for one in decisions):
        return
    told = "gap: no data are there, and none are waited for; nothing is done about it, and windows have a gap there."
    if dated and decisions[-1].action == "gap":
        told += " The last one is the time from the newest data until today; --now TIME plans as of another day."
    console.print(told, markup=False, highlight=False, soft_wrap=True)


def decisions_table(decisions: Sequence[Decision], dated: bool) -> Table:
    """A row for each decision."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for heading in ("Span", "Version", "Action", "Why"):
        table.add_column(heading, no_wrap=heading != "Why")
    for one in decisions:
        span = shown_span(one.span, dated) + (f" to {shown_span(one.end, dated)}" if one.end != one.span else "")
        version = "" if one.version is None else str(one.version)
        table.add_row(span, version, f"[{_STYLES[one.action]}]{one.action}[/]", escape(one.why))
    return table
