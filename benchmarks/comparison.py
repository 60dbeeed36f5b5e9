"""Both sides on the same rows, in turns."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.checks import Check, check_auc, check_columns, check_rows, check_vocabularies
from benchmarks.machine import machine
from benchmarks.output_dir import examples_folder, statistics_folder, vocabularies
from benchmarks.record_count import record_count
from benchmarks.rows import write_rows
from benchmarks.run_command import settings_arguments
from benchmarks.side import OURS, STOCK, Side, run_ours, run_stock
from benchmarks.split_columns import split_columns
from benchmarks.timed_process import child_environment
from configs.load import load_settings
from models.plan import Plan
from schemas.errors import SettingsError
from schemas.features import BinaryLabel

STEPS = 780
"""Most steps by default: one pass over the train split of 300,000 rows."""

_SPLITS = ("train", "eval")


def compare(
    folder: Path, rows: int, *, config: Path, steps: int = STEPS, seed: int = 42, repeat: int = 1, warm: bool = False
) -> dict[str, Any]:
    """Measures both sides.

    Args:
        folder: to work in.
        rows: rows of the CSV that both read.
        config: settings of both sides, with a binary label.
        steps: most steps of the trainings.
        seed: of the rows.
        repeat: turns of each side.
        warm: measure second runs of a process rather than fresh processes.

    Returns:
        The `summary` of the runs, with `steps`, `seed`, `warm`, `machine`, and `checks`, of each turn.

    Raises:
        SettingsError: the label is not binary.
        RunError: a side failed.
    """
    settings = load_settings([config])
    if not isinstance(settings.label, BinaryLabel):
        raise SettingsError(
            "The sides are compared by AUC, and stock's model has one output.",
            where=f"{config}: label.kind",
            received=settings.label.kind,
            fix="Give settings with a binary label.",
        )
    buckets = settings.data.splits
    train_rows = rows * buckets["train"] // sum(buckets.values())
    steps = min(steps, Plan.of(settings.training, train_rows).steps)
    csv = folder / "data" / "rows.csv"  # stock reads all files of a folder
    csv.parent.mkdir()
    write_rows(csv, rows, seed)
    # Early stopping would let the sides train different numbers of steps; stock's InfraValidator needs Docker.
    overrides: dict[str, object] = {"data.path": csv, "training.steps": steps, "training.early_stopping": "null"}
    overrides["smoke_check.enabled"] = "false"
    arguments = settings_arguments([config], overrides)
    _warm_page_cache()
    facts = machine()
    stock, ours, checks = [], [], []
    for turn in range(repeat):
        place = folder / str(turn)
        place.mkdir()
        stock.append(run_stock(place, arguments, train_rows, warm=warm))
        print(f"{rows} rows: stock {stock[-1].seconds:.1f} s", file=sys.stderr, flush=True)
        ours.append(run_ours(place, arguments, warm=warm))
        print(f"{rows} rows: ours  {ours[-1].seconds:.1f} s", file=sys.stderr, flush=True)
        checks += [check_auc(stock[-1].auc, ours[-1].auc), *_checks(place / STOCK, place / OURS)]
    return {
        **summary(rows, stock, ours),
        "steps": steps,
        "seed": seed,
        "warm": warm,
        "machine": facts,
        "checks": [asdict(check) for check in checks],
    }


def _warm_page_cache() -> None:
    """Reads the files of the environment, so that the side that comes first does not wait for them."""
    command = [sys.executable, "-m", "benchmarks.stock_pipeline", "--help"]
    subprocess.run(command, env=child_environment(), capture_output=True, check=False)


def _checks(stock: Path, ours: Path) -> list[Check]:
    """What the two sides made of the rows, from what they left in their output_dirs."""
    sides = stock, ours
    checks = []
    for split in _SPLITS:
        checks.append(check_rows(split, *(record_count(examples_folder(side, split)) for side in sides)))
        checks += check_columns(split, *(split_columns(statistics_folder(side, split)) for side in sides))
    return [*checks, check_vocabularies(*(vocabularies(side) for side in sides))]


def summary(rows: int, stock: Sequence[Side], ours: Sequence[Side]) -> dict[str, Any]:
    """The medians of the runs, JSON-ready.

    Args:
        rows: rows of the CSV.
        stock: runs of the stock side, at least one.
        ours: runs of our side, as many.
    """
    stock_seconds, our_seconds = (median(run.seconds for run in runs) for runs in (stock, ours))
    return {
        "rows": rows,
        "stock_seconds": stock_seconds,
        "ours_seconds": our_seconds,
        "ratio": stock_seconds / our_seconds,
        "stock_cpu_seconds": median(run.cpu_seconds for run in stock),
        "ours_cpu_seconds": median(run.cpu_seconds for run in ours),
        "stock_auc": median(run.auc for run in stock),
        "ours_auc": median(run.auc for run in ours),
        "stock_peak_mb": median(run.peak_mb for run in stock),
        "ours_peak_mb": median(run.peak_mb for run in ours),
        "per_node": {"stock": _median_nodes(stock), "ours": _median_nodes(ours)},
        "runs": {"stock": [asdict(run) for run in stock], "ours": [asdict(run) for run in ours]},
    }


def _median_nodes(runs: Sequence[Side]) -> dict[str, float]:
    return {node: median(run.per_node[node] for run in runs if node in run.per_node) for node in runs[0].per_node}
