"""Both sides on the same rows, in turns."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.checks import Check, check_auc, check_columns, check_rows
from benchmarks.machine import machine
from benchmarks.ours import our_examples, our_statistics
from benchmarks.record_count import record_count
from benchmarks.rows import write_rows
from benchmarks.side import OURS, STOCK, Side, run_ours, run_stock
from benchmarks.split_columns import split_columns
from benchmarks.stock import stock_examples, stock_statistics

_SPLITS = ("train", "eval")


def compare(
    folder: Path, rows: int, *, config: Path, seed: int = 42, repeat: int = 1, warm: bool = False
) -> dict[str, Any]:
    """Measures both sides.

    Args:
        folder: to work in.
        rows: rows of the CSV that both read.
        config: settings of our side.
        seed: of the rows.
        repeat: turns of each side.
        warm: measure second runs of a process rather than fresh processes.

    Returns:
        The `summary` of the runs, with `seed`, `warm`, `machine`, and `checks`, of each turn.
    """
    facts = machine()
    csv = folder / "rows.csv"
    write_rows(csv, rows, seed)
    stock, ours, checks = [], [], []
    for turn in range(repeat):
        place = folder / str(turn)
        place.mkdir()
        stock.append(run_stock(place, csv, warm=warm))
        print(f"{rows} rows: stock {stock[-1].seconds:.1f} s", file=sys.stderr, flush=True)
        ours.append(run_ours(place, csv, config, warm=warm))
        print(f"{rows} rows: ours  {ours[-1].seconds:.1f} s", file=sys.stderr, flush=True)
        checks += [check_auc(stock[-1].auc, ours[-1].auc), *_checks(place / STOCK, place / OURS)]
    return {
        **summary(rows, stock, ours),
        "seed": seed,
        "warm": warm,
        "machine": facts,
        "checks": [asdict(check) for check in checks],
    }


def _checks(project: Path, output_dir: Path) -> list[Check]:
    """What the two sides made of the rows, from what they wrote."""
    checks = []
    for split in _SPLITS:
        examples = stock_examples(project, split), our_examples(output_dir, split)
        checks.append(check_rows(split, *(record_count(found) for found in examples)))
        statistics = stock_statistics(project, split), our_statistics(output_dir, split)
        checks += check_columns(split, *(split_columns(found) for found in statistics))
    return checks


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
