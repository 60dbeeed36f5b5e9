"""How fast our trainings are: beside a bare `fit`, on two workers, with each strategy and launcher, with backups.

    python -m benchmarks.training --output training --rows 1000000 --turns 3

It runs our pipeline up to Transform on taxi rows (`benchmarks.rows`), then trains the model of the settings on what
came out, each training in processes of its own, through the Trainer's run_fn. The output folder gets training.json,
training.md and the plots as PNG. The default sizes are small: they show that everything works, in minutes.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.machine import machine, require_byte_code
from benchmarks.rows import SAMPLE_ROWS
from benchmarks.training_backup import measure_backup, report_backup
from benchmarks.training_curves import measure_curves, report_curves
from benchmarks.training_data import TrainingData
from benchmarks.training_overhead_report import measure_overhead, report_overhead
from benchmarks.training_plots import plot_curves, plot_scaling
from benchmarks.training_scaling import measure_scaling, report_scaling
from benchmarks.training_start import measure_start, report_start
from benchmarks.training_strategies import measure_strategies, report_strategies
from schemas.errors import ScalableTFError

_ROOT = Path(__file__).resolve().parent.parent
_REPORTS: dict[str, tuple[str, Callable[[Any], str]]] = {
    "overhead": ("Ours beside a bare fit on arrays in memory", report_overhead),
    "scaling": ("One worker and two, a processor each", report_scaling),
    "strategies": ("Strategies and loops", report_strategies),
    "start": ("From the Trainer's start to the first step", report_start),
    "backup": ("Backups", report_backup),
    "curves": ("Synchronous and asynchronous training", report_curves),
}
_PLOTS: dict[str, Callable[[Any, Path], None]] = {"scaling": plot_scaling, "curves": plot_curves}


def report(result: Mapping[str, Any]) -> str:
    """The sections of a result that are there, as Markdown."""
    parts = [f"## {title}\n\n{made(result[name])}" for name, (title, made) in _REPORTS.items() if name in result]
    return "\n".join(parts)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the benchmark; 0 when all of it ran to its end."""
    arguments = _parser().parse_args(argv)
    output: Path = arguments.output
    result: dict[str, Any] = {}
    try:
        require_byte_code()
        output.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="stf-benchmark-") as temporary:
            for name, section in _sections(arguments, Path(temporary)).items():
                if arguments.only and name not in arguments.only:
                    continue
                facts = machine()
                result[name] = section()
                result.setdefault("machine", {})[name] = facts
                (output / "training.json").write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
                (output / "training.md").write_text(report(result), encoding="utf-8")
                if name in _PLOTS:
                    _PLOTS[name](result[name], output / f"training_{name}.png")
                print(f"\n## {_REPORTS[name][0]}\n\n{_REPORTS[name][1](result[name])}", flush=True)
    except ScalableTFError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def _sections(given: argparse.Namespace, folder: Path) -> dict[str, Callable[[], Any]]:
    made: dict[int, TrainingData] = {}

    def data(rows: int) -> TrainingData:
        if rows not in made:
            place = (given.data or folder) / f"rows-{rows}"
            made[rows] = TrainingData.prepare(place, given.config, rows, given.seed)
        return made[rows]

    return {
        "overhead": lambda: measure_overhead(
            data(given.rows), folder / "overhead", batches=given.batches, epochs=given.epochs, turns=given.turns
        ),
        "scaling": lambda: measure_scaling(
            data(given.scaling_rows),
            folder / "scaling",
            hidden_units=given.hidden_units,
            replica_batch=given.replica_batch,
            epochs=given.epochs,
            turns=given.turns,
        ),
        "strategies": lambda: measure_strategies(
            data(given.small_rows), folder / "strategies", epochs=max(given.epochs, 5), turns=given.turns
        ),
        "start": lambda: measure_start(data(given.small_rows), folder / "start", turns=given.turns),
        "backup": lambda: measure_backup(
            data(given.small_rows), folder / "backup", every=given.backup_steps, epochs=given.epochs, turns=given.turns
        ),
        "curves": lambda: measure_curves(
            data(given.small_rows),
            folder / "curves",
            workers=given.workers,
            learning_rates=given.learning_rates,
            epochs=given.curve_epochs,
        ),
    }


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.training", description=(__doc__ or "").split("\n")[0])
    several = {"nargs": "+", "metavar": "N"}
    parser.add_argument("--output", type=Path, required=True, help="folder for JSON, Markdown and plots")
    parser.add_argument("--only", nargs="+", choices=[*_REPORTS], help="these sections; default: all")
    parser.add_argument("--rows", type=int, default=SAMPLE_ROWS, help="of overhead; default: %(default)s")
    parser.add_argument("--batches", type=int, default=[1024], **several, help="of overhead; default: %(default)s")
    parser.add_argument("--scaling-rows", type=int, default=SAMPLE_ROWS, help="of scaling; default: %(default)s")
    parser.add_argument("--small-rows", type=int, default=SAMPLE_ROWS, help="of the others; default: %(default)s")
    parser.add_argument("--hidden-units", type=int, default=[1024, 1024], **several, help="of scaling's model")
    parser.add_argument("--replica-batch", type=int, default=1024, help="of scaling; default: %(default)s")
    parser.add_argument("--epochs", type=int, default=3, help="the first one is not counted; default: %(default)s")
    parser.add_argument("--turns", type=int, default=1, help="medians of so many; default: %(default)s")
    parser.add_argument("--backup-steps", type=int, default=10, help="default: %(default)s")
    parser.add_argument("--workers", type=int, default=[1, 2, 4], **several, help="of curves; default: %(default)s")
    parser.add_argument("--learning-rates", type=float, default=[0.003, 0.03], nargs="+", help="of curves")
    parser.add_argument("--curve-epochs", type=int, default=8, help="of curves; default: %(default)s")
    parser.add_argument("--seed", type=int, default=42, help="of the rows")
    parser.add_argument("-c", "--config", type=Path, default=_ROOT / "configs" / "taxi.yaml", help="settings")
    parser.add_argument("--data", type=Path, help="folder that keeps the transformed rows for another call")
    return parser


if __name__ == "__main__":
    sys.exit(main())
