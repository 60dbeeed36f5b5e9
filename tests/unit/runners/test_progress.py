from __future__ import annotations

import io

from rich.console import Console

from runners.progress import Progress
from runners.usage import Usage


def test_without_a_terminal_each_end_is_a_line() -> None:
    text = io.StringIO()
    with Progress(Console(file=text, width=100), ["ExampleGen", "Trainer"]) as progress:
        progress.set("ExampleGen", "running")
        progress.set("ExampleGen", "complete", Usage(1.25, 0.5, 300.0))
        progress.set("Trainer", "not run")
    first, second = text.getvalue().splitlines()
    assert first.split() == ["ExampleGen", "complete", "1.2", "s", "0.5", "s", "CPU", "300", "MiB"]
    assert second.split() == ["Trainer", "not", "run"]


def test_on_a_terminal_every_node_is_in_the_table_from_the_start() -> None:
    text = io.StringIO()
    with Progress(Console(file=text, width=100, force_terminal=True), ["ExampleGen", "Trainer"]) as progress:
        progress.set("ExampleGen", "running")
    assert "Trainer" in text.getvalue()
    assert "waiting" in text.getvalue()
