"""What a run with --profile says at its end: where its time went."""

from __future__ import annotations

import pstats
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from pipeline import nodes
from runners.local import RunResult
from runners.node_profile import FOLDER, STATISTICS

_PLACES = 3
_TRACES = "plugins/profile"


@dataclass(frozen=True)
class NodeProfile:
    """Where the time of a node went.

    Attributes:
        node_id: the node.
        seconds: of all that was profiled.
        places: seconds within a function alone, and the function, most expensive first.
    """

    node_id: str
    seconds: float
    places: Sequence[tuple[float, str]]

    @classmethod
    def read(cls, file: Path, most: int = _PLACES) -> NodeProfile:
        """Reads NODE.pstats.

        Args:
            file: as `runners.node_profile` wrote it.
            most: number of places.
        """
        found: Any = pstats.Stats(str(file))
        own = sorted(((times[2], _place(*function)) for function, times in found.stats.items()), reverse=True)
        return cls(file.name.removesuffix(STATISTICS), found.total_tt, own[:most])


def print_profiles(result: RunResult, console: Console) -> None:
    """Prints the nodes that were profiled, the slowest first, and where their profiles are."""
    folder = result.logs / FOLDER
    found = [NodeProfile.read(file) for file in folder.glob(f"*{STATISTICS}") if not file.name.startswith(".")]
    if not found:
        console.print("Nothing was profiled: no node came to an end in this run.", highlight=False)
        return
    table = Table(title="Where the time went", title_justify="left", box=None, padding=(0, 2, 0, 0))
    for heading in ("node", "seconds", "own seconds"):
        table.add_column(heading, justify="left" if heading == "node" else "right", no_wrap=True)
    table.add_column("of the function", overflow="fold")
    for profile in sorted(found, key=lambda profile: -profile.seconds):
        names = [(profile.node_id, f"{profile.seconds:.1f}")] + [("", "")] * _PLACES
        for (node, seconds), (own, place) in zip(names, profile.places, strict=False):
            table.add_row(node, seconds, f"{own:.1f}", escape(place))
    console.print(table)
    cached = [node for node, outcome in result.outcomes.items() if outcome.state == "cached"]
    if cached:
        text = f"From the cache: {', '.join(cached)}. With --set runner.cache=false they work, and are profiled at it."
        console.print(text, markup=False, highlight=False, soft_wrap=True)
    console.print(f"Profiles: {folder}", markup=False, highlight=False, soft_wrap=True)
    trained = result.outcomes.get(nodes.TRAINER)
    for model_run in trained.outputs.get("model_run", ()) if trained and trained.state == "complete" else ():
        if Path(model_run.uri, _TRACES).is_dir():
            logdir = shlex.quote(model_run.uri)
            text = f"Trace of the training, for TensorBoard with its profile plugin: --logdir {logdir}"
            console.print(text, markup=False, highlight=False, soft_wrap=True)


def _place(file: str, line: int, function: str) -> str:
    if file == "~":  # written in C
        return function.strip("<>")
    return f"{'/'.join(Path(file).parts[-2:])}:{line} {function}"
