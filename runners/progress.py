"""What the user sees while a run goes on: a live table of nodes, or plain lines when the output is not a terminal."""

from __future__ import annotations

import time
from collections.abc import Iterable
from types import TracebackType
from typing import Literal

from rich.console import Console
from rich.live import Live
from rich.table import Table

from runners.usage import Usage

State = Literal["waiting", "running", "complete", "cached", "kept", "failed", "not run"]

_STYLES: dict[State, str] = {
    "waiting": "dim",
    "running": "yellow",
    "complete": "green",
    "cached": "cyan",
    "kept": "cyan",
    "failed": "bold red",
    "not run": "dim",
}


class Progress:
    """The nodes of a run with their states and seconds.

    It has no thread: the runner forks, and a fork while another thread holds the console's lock would hang the child.

    Args:
        console: where to draw.
        nodes: ids in the order in which they are shown.
    """

    def __init__(self, console: Console, nodes: Iterable[str]) -> None:
        self._console = console
        self._states: dict[str, State] = dict.fromkeys(nodes, "waiting")
        self._started: dict[str, float] = {}
        self._usage: dict[str, Usage] = {}
        self._live = Live(console=console, auto_refresh=False, transient=False) if console.is_terminal else None
        self._drawn = 0.0

    def __enter__(self) -> Progress:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.update(self._table(), refresh=True)
            self._live.stop()

    def set(self, node: str, state: State, usage: Usage | None = None) -> None:
        """A node has changed its state; `usage` comes with its end."""
        if state == "running":
            self._started[node] = time.monotonic()
        if usage is not None:
            self._usage[node] = usage
        self._states[node] = state
        if self._live is not None:
            self.refresh(force=True)
        elif state != "running":
            used = ""
            if usage is not None:
                used = f"{usage.seconds:7.1f} s {usage.cpu_seconds:7.1f} s CPU {usage.peak_mib:7.0f} MiB"
            self._console.print(f"  {node:<18}{state:<10}{used}", highlight=False)

    def refresh(self, *, force: bool = False) -> None:
        """Draws the running seconds; to be called often, it limits itself to four drawings a second."""
        now = time.monotonic()
        if self._live is not None and (force or now - self._drawn > 0.25):
            self._drawn = now
            self._live.update(self._table(), refresh=True)

    def _table(self) -> Table:
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
        table.add_column("Node")
        table.add_column("State")
        for heading in ("Seconds", "CPU s", "Peak MiB"):
            table.add_column(heading, justify="right")
        now = time.monotonic()
        for node, state in self._states.items():
            cells = [node, f"[{_STYLES[state]}]{state}[/]"]
            if state == "running":
                cells.append(f"{now - self._started[node]:.1f}")
            elif used := self._usage.get(node):
                cells += [f"{used.seconds:.1f}", f"{used.cpu_seconds:.1f}", f"{used.peak_mib:.0f}"]
            table.add_row(*cells)
        return table
