"""One run of one side: stock TFX, or ours."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.measure import Measurement, measure
from benchmarks.nodes import node_seconds
from benchmarks.output_dir import metadata_file, our_metrics
from benchmarks.run_command import run_command
from benchmarks.stock_metrics import stock_metrics
from benchmarks.timed_process import child_environment

_ROOT = Path(__file__).resolve().parent.parent
STOCK, OURS = "stock", "ours"
"""Names of the sides, and of their output_dirs in the folder of a turn."""


@dataclass(frozen=True)
class Side:
    """One run of one side.

    Attributes:
        seconds: wall time of the process; of its second run, where it is warm.
        cpu_seconds: processor time of all its processes, likewise.
        peak_mb: see `benchmarks.measure.Measurement`; of both runs, where it is warm.
        auc: on the eval split, by the side's own Evaluator.
        per_node: seconds by node id.
    """

    seconds: float
    cpu_seconds: float
    peak_mb: float
    auc: float
    per_node: dict[str, float]


def run_stock(folder: Path, arguments: Sequence[str], train_rows: int, *, warm: bool = False) -> Side:
    """Runs the stock side, in a folder that is there and has no `stock`.

    Args:
        folder: of the turn.
        arguments: as `benchmarks.run_command.settings_arguments` gives them.
        train_rows: about how many rows the train split will have.
        warm: measure the second run of one process, see `benchmarks.second_run`.
    """
    command = [sys.executable, "-m", "benchmarks.stock_pipeline"]
    measured = _measure(STOCK, folder, command, ["--train-rows", str(train_rows), *arguments], warm)
    output_dir = folder / STOCK
    return _side(measured, stock_metrics(output_dir)["auc"], output_dir)


def run_ours(folder: Path, arguments: Sequence[str], *, warm: bool = False) -> Side:
    """Runs our pipeline, in a folder that is there and has no `ours`.

    Args:
        folder: of the turn.
        arguments: as `benchmarks.run_command.settings_arguments` gives them.
        warm: measure the second run of one process, see `benchmarks.second_run`.
    """
    measured = _measure(OURS, folder, run_command(), arguments, warm)
    output_dir = folder / OURS
    return _side(measured, float(our_metrics(output_dir)["auc"]), output_dir)


def _side(measured: Measurement, auc: float, output_dir: Path) -> Side:
    seconds = node_seconds(metadata_file(output_dir))
    return Side(measured.seconds, measured.cpu_seconds, measured.peak_mb, auc, seconds)


def _measure(side: str, folder: Path, command: Sequence[str], arguments: Sequence[str], warm: bool) -> Measurement:
    """Measures a process; of a warm one the second of two runs, the first of which has an output_dir of its own."""
    output_dir, log = folder / side, folder / f"{side}.log"
    environment = child_environment()
    if not warm:
        command = [*command, *arguments, "--set", f"output_dir={output_dir}"]
        return measure(command, cwd=_ROOT, environment=environment, log=log)
    times = folder / f"{side}.json"
    places = [str(place) for place in (times, folder / f"{side}-first", output_dir)]
    command = [sys.executable, "-m", "benchmarks.second_run", side, *places, "--", *arguments]
    measured = measure(command, cwd=_ROOT, environment=environment, log=log)
    found = json.loads(times.read_text(encoding="utf-8"))
    return Measurement(found["seconds"], found["cpu_seconds"], measured.peak_mb)
