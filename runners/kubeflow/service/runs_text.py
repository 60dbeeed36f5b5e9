"""Runs and recurring runs on the server, as text for people and as JSON."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from runners.kubeflow.service.recurring import RecurringRun
from runners.kubeflow.service.runs import Run
from runners.readable_seconds import readable_seconds

_STYLES = {
    "SUCCEEDED": "green",
    "ENABLED": "green",
    "RUNNING": "yellow",
    "FAILED": "bold red",
    "CANCELED": "red",
    "CANCELING": "red",
}
_PARAMETER = 60


def state_text(state: str) -> Text:
    """A state, in lower case and in its colour."""
    return Text(state.lower().replace("_", " ") or "-", style=_STYLES.get(state, ""))


def print_runs(runs: Sequence[Run], console: Console) -> None:
    """One line a run."""
    table = _table("Run", "State", "Started (UTC)", "Time", "Name")
    for run in runs:
        table.add_row(
            run.run_id, state_text(run.state), _moment(run.created), _taken(run.created, run.finished), run.name
        )
    console.print(table)


def print_run(run: Run, console: Console) -> None:
    """One run with its tasks."""
    console.print(f"Run {run.run_id} ({run.name})", highlight=False, markup=False, soft_wrap=True)
    console.print("State:", state_text(run.state))
    console.print(f"Started: {_moment(run.created)} UTC, time {_taken(run.created, run.finished)}", highlight=False)
    for name, value in sorted(run.parameters.items()):
        text = str(value)
        shown = text if len(text) <= _PARAMETER else f"{text[:_PARAMETER]}..."
        console.print(f"Parameter {name}: {shown}", highlight=False, markup=False, soft_wrap=True)
    if run.error:
        console.print(Text(run.error, style="red"))
    if run.tasks:
        table = _table("Task", "State", "Time", "Pod")
        for task in run.tasks:
            table.add_row(task.name, state_text(task.state), _taken(task.started, task.ended), task.pod or "-")
        console.print(table)


def print_recurring_runs(found: Sequence[RecurringRun], console: Console) -> None:
    """One line each."""
    table = _table("Recurring run", "State", "When (UTC)", "At a time", "Name")
    for one in found:
        state = "ENABLED" if one.enabled else "DISABLED"
        table.add_row(one.recurring_run_id, state_text(state), str(one.schedule), str(one.max_concurrency), one.name)
    console.print(table)


def as_json(item: Run | RecurringRun) -> dict[str, Any]:
    """All of it."""
    found: dict[str, Any] = _plain(asdict(item))
    if isinstance(item, RecurringRun) and item.enabled:
        now = datetime.datetime.now(datetime.timezone.utc)
        found["next_starts"] = _plain(item.schedule.next_starts(now, 3))
    return found


def _plain(value: Any) -> Any:
    if isinstance(value, datetime.datetime):
        return value.isoformat()
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value


def _table(*headings: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for heading in headings:
        table.add_column(heading, no_wrap=heading != "Name", overflow="fold")
    return table


def _moment(moment: datetime.datetime | None) -> str:
    return f"{moment.astimezone(datetime.timezone.utc):%Y-%m-%d %H:%M:%S}" if moment else "-"


def _taken(begin: datetime.datetime | None, end: datetime.datetime | None) -> str:
    if begin is None:
        return "-"
    end = end or datetime.datetime.now(datetime.timezone.utc)
    return readable_seconds(max((end - begin).total_seconds(), 0.0))
