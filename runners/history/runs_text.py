"""Runs as text for people."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from runners.history.on_disk import remark
from runners.history.run_detail import ArtifactDetail, RunDetail
from runners.history.runs import RunSummary
from runners.readable_seconds import readable_seconds

_STYLES = {
    "complete": "green",
    "cached": "cyan",
    "running": "yellow",
    "failed": "bold red",
    "died": "bold red",
    "interrupted": "red",
    "not run": "dim",
    "unknown": "dim",
}

_UNLIMITED = 10_000


def print_runs(runs: Sequence[RunSummary], total: int, console: Console) -> None:
    """One line a run, newest first."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("Run", no_wrap=True)
    for heading in ("State", "Started (UTC)"):
        table.add_column(heading, no_wrap=True)
    for heading in ("Time", "Nodes", "Cached"):
        table.add_column(heading, justify="right", no_wrap=True)
    inferred = any(run.purpose != "training" for run in runs)
    if inferred:
        table.add_column("Purpose", no_wrap=True)
    table.add_column("Blessed", no_wrap=True)
    table.add_column("Release", justify="right", no_wrap=True)
    table.add_column("Error", no_wrap=not console.is_terminal, overflow="fold", min_width=20)
    for run in runs:
        blessed = {True: "yes", False: "no", None: "-"}[run.blessed]
        table.add_row(
            run.run_id,
            _state(run.state),
            run.started.replace("T", " ").removesuffix("+00:00"),
            readable_seconds(run.seconds),
            f"{run.nodes_done}/{run.nodes}",
            str(run.nodes_cached),
            *([run.purpose] if inferred else []),
            blessed,
            "-" if run.release is None else str(run.release),
            Text(run.error.partition("\n")[0]),
        )
    # A pipe or a log file has no width: nothing is cut there.
    console.print(table, width=None if console.is_terminal else _UNLIMITED, crop=console.is_terminal)
    if total > len(runs):
        console.print(f"{total - len(runs)} older ones: --limit {total} shows all.", highlight=False)


def print_run(run: RunDetail, console: Console) -> None:
    """A run's record, and each node with what it read and made."""
    record = run.record
    lines = {
        "Run": f"{record['run_id']} of {record['pipeline']}",
        "State": record["state"],
        "Purpose": record["purpose"] if record["purpose"] != "training" else "",
        "Started": record["started"],
        "Ended": record["ended"],
        "Time": readable_seconds(run.seconds),
        "Error": record["message"],
        "Command": record["command"],
        "Process": f"{record['pid']} on {record['host']}" if record["host"] else "",
        "Settings": record["settings"],
        "Logs": run.logs,
        "Blessed": {True: "yes", False: "no", None: ""}[run.blessed],
        "Release": "" if run.release is None else str(run.release),
        "Refused": record["reason"],
    }
    for name, value in lines.items():
        if value:
            _line(f"{name + ':':<10}{value}", console)
    for node in run.nodes:
        execution = "" if node.execution is None else f"execution {node.execution}, {readable_seconds(node.seconds)}"
        line = Text(f"{node.node:<18}")
        line.append(f"{node.state:<12}", _STYLES[node.state])
        console.print(line.append(execution))
        for arrow, artifacts in (("<-", node.inputs), ("->", node.outputs)):
            for artifact in artifacts:
                _line(f"  {arrow} {artifact.key}: {_artifact(artifact)}", console)
        for text in node.error.splitlines():
            _line(f"  ! {text}", console)
        if node.error and node.log:
            _line(f"  ! Log: {node.log}", console)


def _artifact(artifact: ArtifactDetail) -> str:
    return f"{artifact.type} {artifact.id} {artifact.uri}{remark(artifact.state, artifact.on_disk)}"


def _state(state: str) -> Text:
    return Text(state, _STYLES[state])


def _line(text: str, console: Console) -> None:
    console.print(text, markup=False, highlight=False, soft_wrap=True)
