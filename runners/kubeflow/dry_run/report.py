"""A dry run as a table for people, and as JSON."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from runners.kubeflow.dry_run.run import DryRun
from runners.kubeflow.dry_run.task_result import FAILED, TaskResult
from runners.readable_seconds import readable_seconds

_STYLES = {"succeeded": "green", "failed": "bold red", "skipped": "dim"}
_LINES = 15
_WORD = 44


def print_dry_run(result: DryRun, console: Console) -> None:
    """The tasks, a line each; then what the first that failed has said."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("Task", no_wrap=True)
    table.add_column("State", no_wrap=True)
    for heading in ("Exit code", "Attempts", "Time"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("Command")
    for task in result.tasks:
        table.add_row(
            task.name,
            Text(task.state, style=_STYLES[task.state]),
            "-" if task.exit_code is None else str(task.exit_code),
            str(task.attempts),
            readable_seconds(task.seconds) if task.attempts else "-",
            Text(_shortened(task) or task.reason.partition("\n")[0]),
        )
    console.print(table)
    for task in result.tasks:
        if task.state == FAILED:
            console.print(f"\n[bold]{escape(task.name)}[/bold] failed:")
            console.print(Text(task.reason or _last_lines(task)))
            break
    if result.kept:
        console.print(f"\nLogs and volumes are in {result.root}", highlight=False, soft_wrap=True)


def print_task(task: TaskResult, console: Console) -> None:
    """A line when a task has ended."""
    taken = f" in {readable_seconds(task.seconds)}" if task.attempts else ""
    told = f": exit code {task.exit_code}" if task.exit_code else ""
    console.print(f"{task.name} {task.state}{taken}{told}", style=_STYLES[task.state], highlight=False, markup=False)


def as_json(result: DryRun, pipeline: str) -> dict[str, Any]:
    """All of it."""
    return {
        "pipeline": pipeline,
        "run_id": result.run_id,
        "succeeded": result.succeeded,
        "root": str(result.root) if result.kept else None,
        "tasks": [_task(task, result.kept) for task in result.tasks],
    }


def _task(task: TaskResult, kept: bool) -> dict[str, Any]:
    logs = task.logs if kept else None
    return {
        "name": task.name,
        "path": task.path,
        "state": task.state,
        "command": list(task.command),
        "exit_code": task.exit_code,
        "attempts": task.attempts,
        "seconds": round(task.seconds, 3),
        "reason": task.reason or None,
        "stdout": str(logs / "stdout.log") if logs else None,
        "stderr": str(logs / "stderr.log") if logs else None,
    }


def _shortened(task: TaskResult) -> str:
    """The command line with long words, as the settings, cut in their middle."""
    words = [word if len(word) <= _WORD else f"{word[: _WORD - 12]}...{word[-9:]}" for word in task.command]
    return " ".join(shlex.quote(word) if " " in word else word for word in words)


def _last_lines(task: TaskResult) -> str:
    for name in ("stderr.log", "stdout.log"):
        file = task.logs / name if task.logs else Path()
        if file.is_file() and (lines := file.read_text(errors="replace").strip().splitlines()):
            return "\n".join(lines[-_LINES:])
    return "It has printed nothing."
