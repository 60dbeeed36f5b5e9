"""One run of one side: the stock template, or ours."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.measure import Measurement, measure
from benchmarks.nodes import node_seconds
from benchmarks.ours import our_arguments, our_command, our_metadata, our_metrics
from benchmarks.stock import make_project, stock_command, stock_metadata
from schemas.errors import RunError

_ROOT = Path(__file__).resolve().parent.parent
_NAMES = {
    "CsvExampleGen": "ExampleGen",
    "latest_blessed_model_resolver": "LatestBlessed",
}  # the stock node of the same task, where its id differs
STOCK, OURS = "stock", "ours"
"""Folders of the sides, in that of their turn: the stock project, and our output_dir."""


@dataclass(frozen=True)
class Side:
    """One run of one side.

    Attributes:
        seconds: wall time of the process; of its second run, where it is warm.
        cpu_seconds: processor time of all its processes, likewise.
        peak_mb: see `benchmarks.measure.Measurement`; of both runs, where it is warm.
        auc: on its own eval split.
        per_node: seconds by our node ids.
    """

    seconds: float
    cpu_seconds: float
    peak_mb: float
    auc: float
    per_node: dict[str, float]


def run_stock(folder: Path, csv: Path, *, warm: bool = False) -> Side:
    """Runs the stock template, in a folder that is there and has no `stock`.

    Args:
        folder: of the turn.
        csv: rows to train on.
        warm: measure the second run of one process, see `benchmarks.second_run`.
    """
    project = make_project(folder / STOCK, csv)
    # The template's user does not set it; TFT does, in time for the template.
    environment = {name: value for name, value in os.environ.items() if name != "TF_USE_LEGACY_KERAS"}
    log = folder / "stock.log"
    if warm:
        measured = _measure_second(STOCK, folder, project, [str(project / stock_command()[-1])], environment, log)
    else:
        measured = measure(stock_command(), cwd=project, environment=environment, log=log)
    seconds = {_NAMES.get(node, node): taken for node, taken in node_seconds(stock_metadata(project)).items()}
    return _side(measured, _stock_auc(project), seconds)


def run_ours(folder: Path, csv: Path, config: Path, *, warm: bool = False) -> Side:
    """Runs our pipeline, in a folder that is there and has no `ours`.

    Args:
        folder: of the turn.
        csv: rows to train on.
        config: settings.
        warm: measure the second run of one process, see `benchmarks.second_run`.
    """
    output_dir, log = folder / OURS, folder / "ours.log"
    if warm:
        measured = _measure_second(OURS, folder, output_dir, our_arguments([config], csv), os.environ, log)
    else:
        measured = measure(our_command([config], output_dir, csv), cwd=_ROOT, environment=os.environ, log=log)
    return _side(measured, float(our_metrics(output_dir)["auc"]), node_seconds(our_metadata(output_dir)))


def _side(measured: Measurement, auc: float, per_node: dict[str, float]) -> Side:
    return Side(measured.seconds, measured.cpu_seconds, measured.peak_mb, auc, per_node)


def _measure_second(
    side: str, folder: Path, place: Path, arguments: Sequence[str], environment: Mapping[str, str], log: Path
) -> Measurement:
    """Measures the second of two runs; the first one's outputs go to a folder of its own."""
    times = folder / f"{side}.json"
    first = folder / f"{side}-first"
    command = [sys.executable, "-m", "benchmarks.second_run", side, times, first, place, "--", *arguments]
    path = os.pathsep.join(filter(None, [str(_ROOT), environment.get("PYTHONPATH")]))
    # The stock project's packages have names that ours have too: where it starts decides who is found.
    cwd = place if side == STOCK else _ROOT
    measured = measure(
        [str(word) for word in command], cwd=cwd, environment={**environment, "PYTHONPATH": path}, log=log
    )
    found = json.loads(times.read_text(encoding="utf-8"))
    return Measurement(found["seconds"], found["cpu_seconds"], measured.peak_mb)


def _stock_auc(project: Path) -> float:
    command = [sys.executable, "-m", "benchmarks.stock_quality", str(project)]
    ran = subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, check=False)
    if ran.returncode != 0:
        raise RunError("The stock model could not be evaluated.", where=str(project), received=ran.stderr[-2000:])
    auc: float = json.loads(ran.stdout.splitlines()[-1])["auc"]
    return auc
