"""Our pipeline beside the stock TFX taxi template, from CSV to pushed model.

    python -m benchmarks.pipeline --rows 15002 --json pipeline.json

Both sides run in this one call, one after the other: each in a fresh process with a fresh output folder, on the same
CSV, in the same byte-compiled environment, and `seconds` is the wall time of the whole process. The stock side is
described in `benchmarks.stock`, the rows in `benchmarks.rows`, memory in `benchmarks.measure`, seconds of nodes in
`benchmarks.nodes`. Copying the template, which is not timed, brings TFX's files into the page cache before either
side starts. With `--repeat K` the two take turns K times, and every number of the result is the median.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.machine import machine, require_byte_code
from benchmarks.markdown import markdown_table
from benchmarks.measure import Measurement, measure
from benchmarks.nodes import node_seconds
from benchmarks.ours import our_command, our_metadata, our_metrics
from benchmarks.rows import SAMPLE_ROWS, write_rows
from benchmarks.stock import make_project, stock_command, stock_metadata
from schemas.errors import RunError, ScalableTFError

_ROOT = Path(__file__).resolve().parent.parent
_NAMES = {
    "CsvExampleGen": "ExampleGen",
    "latest_blessed_model_resolver": "LatestBlessed",
}  # the stock node of the same task, where its id differs


@dataclass(frozen=True)
class Side:
    """One run of one side.

    Attributes:
        seconds: wall time of the process.
        cpu_seconds: processor time of all its processes.
        peak_mb: see `benchmarks.measure.Measurement`.
        auc: on its own eval split.
        per_node: seconds by our node ids.
    """

    seconds: float
    cpu_seconds: float
    peak_mb: float
    auc: float
    per_node: dict[str, float]


def run_stock(folder: Path, csv: Path) -> Side:
    """Runs the stock template once, in a folder that is there and empty."""
    project = make_project(folder / "stock", csv)
    # The template's user does not set it; TFT does, in time for the template.
    environment = {name: value for name, value in os.environ.items() if name != "TF_USE_LEGACY_KERAS"}
    measured = measure(stock_command(), cwd=project, environment=environment, log=folder / "stock.log")
    seconds = {_NAMES.get(node, node): taken for node, taken in node_seconds(stock_metadata(project)).items()}
    return _side(measured, _stock_auc(project), seconds)


def run_ours(folder: Path, csv: Path, config: Path) -> Side:
    """Runs our pipeline once, in a folder that is there."""
    output_dir = folder / "ours"
    measured = measure(
        our_command([config], output_dir, csv), cwd=_ROOT, environment=os.environ, log=folder / "ours.log"
    )
    return _side(measured, float(our_metrics(output_dir)["auc"]), node_seconds(our_metadata(output_dir)))


def _side(measured: Measurement, auc: float, per_node: dict[str, float]) -> Side:
    return Side(measured.seconds, measured.cpu_seconds, measured.peak_mb, auc, per_node)


def _stock_auc(project: Path) -> float:
    command = [sys.executable, "-m", "benchmarks.stock_quality", str(project)]
    ran = subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, check=False)
    if ran.returncode != 0:
        raise RunError("The stock model could not be evaluated.", where=str(project), received=ran.stderr[-2000:])
    auc: float = json.loads(ran.stdout.splitlines()[-1])["auc"]
    return auc


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


def report(result: Mapping[str, Any]) -> str:
    """The result as two Markdown tables: totals, then nodes."""
    stock, ours = result["per_node"]["stock"], result["per_node"]["ours"]
    totals: list[tuple[str, float | None, float | None, float | None]] = [
        ("seconds, start to exit", result["stock_seconds"], result["ours_seconds"], result["ratio"]),
        (
            "processor seconds",
            result["stock_cpu_seconds"],
            result["ours_cpu_seconds"],
            result["stock_cpu_seconds"] / result["ours_cpu_seconds"],
        ),
        (
            "peak memory, MiB",
            result["stock_peak_mb"],
            result["ours_peak_mb"],
            result["stock_peak_mb"] / result["ours_peak_mb"],
        ),
        ("AUC on the eval split", result["stock_auc"], result["ours_auc"], None),
    ]
    nodes: list[tuple[str, float | None, float | None, float | None]] = []
    for node in dict.fromkeys((*stock, *ours)):
        ratio = stock[node] / ours[node] if stock.get(node) and ours.get(node) else None
        nodes.append((node, stock.get(node), ours.get(node), ratio))
    return (
        f"{result['rows']} rows\n\n"
        + markdown_table(("", "stock TFX", "ours", "stock / ours"), totals)
        + "\nSeconds of each node (ours may overlap)\n\n"
        + markdown_table(("node", "stock TFX", "ours", "stock / ours"), nodes)
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the benchmark; 0 when both sides ran to their end."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pipeline", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--rows", type=int, default=SAMPLE_ROWS, help="default: the real sample, %(default)s rows")
    parser.add_argument("--json", type=Path, required=True, help="file for the result")
    parser.add_argument("--repeat", type=int, default=1, help="turns of each side; the result is the median")
    parser.add_argument("--seed", type=int, default=42, help="of the rows")
    parser.add_argument(
        "-c", "--config", type=Path, default=_ROOT / "configs" / "taxi.yaml", help="settings of our side"
    )
    parser.add_argument("--keep", type=Path, help="folder to work in and leave, instead of a temporary one")
    arguments = parser.parse_args(argv)
    if arguments.repeat < 1:
        parser.error("--repeat must be at least 1")
    try:
        require_byte_code()
        facts = machine()
        with _folder(arguments.keep) as folder:
            csv = folder / "rows.csv"
            write_rows(csv, arguments.rows, arguments.seed)
            stock, ours = [], []
            for turn in range(arguments.repeat):
                place = folder / str(turn)
                place.mkdir()
                stock.append(run_stock(place, csv))
                print(f"stock {stock[-1].seconds:.1f} s", file=sys.stderr, flush=True)
                ours.append(run_ours(place, csv, arguments.config))
                print(f"ours  {ours[-1].seconds:.1f} s", file=sys.stderr, flush=True)
    except ScalableTFError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    result = {**summary(arguments.rows, stock, ours), "seed": arguments.seed, "machine": facts}
    arguments.json.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(report(result))
    return 0


@contextlib.contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    """A temporary folder, or a new one that stays."""
    if keep is None:
        with tempfile.TemporaryDirectory(prefix="stf-benchmark-") as folder:
            yield Path(folder)
    else:
        keep.mkdir(parents=True)
        yield keep.absolute()


if __name__ == "__main__":
    sys.exit(main())
