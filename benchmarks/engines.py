"""The pipeline on several engines, at several sizes: seconds, rows a second, memory, and how they grow.

    python -m benchmarks.engines --output docs/benchmarks

writes engines.json and engines.md. Each line is a run of `scalable-tf run --engine NAME` to its release, in a fresh
process and a fresh output folder, on taxi rows of `benchmarks.rows`, with one epoch of training, which is the same
everywhere. `scalable-tf run` starts the job server of an engine that has one, and both count. What is measured is said
in `benchmarks.measure`, with Java's processes; seconds of nodes come from ML Metadata. Vocabularies and metrics of all
engines must be equal.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.growth import growth
from benchmarks.machine import machine
from benchmarks.markdown import markdown_table
from benchmarks.measure import measure
from benchmarks.nodes import node_times
from benchmarks.output_dir import examples_folder, metadata_file, our_metrics, vocabularies
from benchmarks.record_count import record_count
from benchmarks.rows import write_rows
from benchmarks.run_command import run_command, settings_arguments
from benchmarks.timed_process import child_environment
from schemas.errors import RunError, ScalableTFError

_ROOT = Path(__file__).resolve().parent.parent
_CONFIG = _ROOT / "configs" / "taxi.yaml"
_ENGINES = ("inline", "direct", "flink", "spark", "prism")
_SIZES = (1_000, 300_000, 3_000_000)
"""The smallest shows what an engine costs before there is anything to do."""
_NODES = ("ExampleGen", "StatisticsGen", "Transform", "Evaluator")
"""Those whose work an engine does."""
_INTERVAL = 0.5  # seconds; to look at the memory of large processes takes time from them


def run(engine: str, data: Path, rows: int, folder: Path) -> dict[str, Any]:
    """One run, JSON-ready, with what must not depend on the engine.

    Args:
        engine: its kind.
        data: CSV.
        rows: how many there are.
        folder: to be made.

    Raises:
        RunError: the run failed, or did not make an example of each row.
    """
    folder.mkdir(parents=True)
    output_dir = folder / "run"
    overrides = {"data.path": data, "output_dir": output_dir, "training.epochs": 1, "training.tensorboard": "false"}
    options = ["--engine", engine, "--force-bless", "benchmark"]
    command = [*run_command(), *settings_arguments([_CONFIG], overrides), *options]
    measured = measure(command, cwd=_ROOT, environment=child_environment(), log=folder / "log", interval=_INTERVAL)
    found = sum(record_count(examples_folder(output_dir, split)) for split in ("train", "eval"))
    if found != rows:
        raise RunError("ExampleGen did not make an example of each row.", where=engine, received=f"{found} of {rows}")
    times = {node: found for node, found in node_times(metadata_file(output_dir)).items() if node in _NODES}
    seen = {
        node: [mb for time, mb in measured.samples if any(begin <= time <= end for begin, end in times[node])]
        for node in _NODES
    }
    of_nodes = {node: max(found) for node, found in seen.items() if found}  # a node may end between two samples
    result = {
        "engine": engine,
        "rows": rows,
        "seconds": measured.seconds,
        "peak_mb": measured.peak_mb,
        "nodes_peak_mb": max(of_nodes.values()),
        "nodes": {node: sum(end - begin for begin, end in times[node]) for node in _NODES},
        "node_peaks_mb": of_nodes,
        "vocabularies": {
            name: hashlib.sha256(b"\n".join(lines)).hexdigest() for name, lines in vocabularies(output_dir).items()
        },
        "metrics": our_metrics(output_dir),
    }
    shutil.rmtree(output_dir)
    memory = ", ".join(f"{node} {mb:.0f}" for node, mb in of_nodes.items())
    print(
        f"{engine}, {rows} rows: {measured.seconds:.0f} s, {measured.peak_mb:.0f} MiB ({memory})",
        file=sys.stderr,
        flush=True,
    )
    return result


def compare(
    engines: Sequence[str], sizes: Sequence[int], folder: Path, save: Callable[[dict[str, Any]], None]
) -> dict[str, Any]:
    """All runs; JSON-ready.

    Args:
        engines: kinds.
        sizes: numbers of rows, ascending.
        folder: for data and outputs.
        save: takes what there is after each run, for it takes long until all are done.

    Raises:
        RunError: a run failed, or its results are not those of the first engine.
    """
    runs = []
    for rows in sizes:
        data = folder / f"{rows}.csv"
        write_rows(data, rows)
        same: dict[str, Any] = {}
        for engine in engines:
            found = run(engine, data, rows, folder / f"{engine}-{rows}")
            results = {key: found.pop(key) for key in ("vocabularies", "metrics")}
            if (same := same or results) != results:
                raise RunError(f"{engine} and {engines[0]} give other results.", received=results, where=f"{rows} rows")
            runs.append(found)
            save({"runs": runs, "machine": machine()})
        data.unlink()
    return {"runs": runs, "machine": machine()}


def report(result: Mapping[str, Any]) -> str:
    """The result as Markdown."""
    runs: list[dict[str, Any]] = result["runs"]
    engines = list(dict.fromkeys(one["engine"] for one in runs))
    sizes = sorted({one["rows"] for one in runs})
    tables = []
    for rows in sizes:
        first = next(one for one in runs if one["rows"] == rows)
        lines = [
            (
                one["engine"],
                one["seconds"],
                one["seconds"] / first["seconds"],
                *(rows / one["nodes"][node] for node in _NODES),
                one["nodes_peak_mb"],
                one["peak_mb"],
            )
            for one in runs
            if one["rows"] == rows
        ]
        head = (
            "engine",
            "run, s",
            f"of {first['engine']}'s",
            *(f"{node}, rows/s" for node in _NODES),
            "peak MiB",
            "with training",
        )
        tables.append(f"## {rows:,} rows\n\n{markdown_table(head, lines)}")
    grown = []
    for engine in engines:
        own = sorted((one for one in runs if one["engine"] == engine), key=lambda one: one["rows"])
        data = [sum(one["nodes"].values()) for one in own]
        for place, power in enumerate(growth(sizes, data)):
            memory = own[place + 1]["nodes_peak_mb"] / own[place]["nodes_peak_mb"]
            ratio = data[place + 1] / data[place]
            grown.append((engine, f"{sizes[place]:,} to {sizes[place + 1]:,}", ratio, power, memory))
    head = ("engine", "rows", "seconds of the four nodes, times", "as a power of the rows", "memory, times")
    return "\n".join(
        [
            "# Engines\n",
            "Made by `python -m benchmarks.engines`: whole runs, each in fresh processes, with the job server that the "
            "run starts and stops. Seconds of a node have its start on the engine in them. Peak memory is that of all "
            "processes together, Java's too, while one of these nodes runs, and at any time: the Trainer, whose memory "
            "holds the examples (training.cache_bytes), is the same on every engine. Vocabularies and metrics were "
            "equal on all engines.\n",
            *tables,
            "## Growth\n",
            markdown_table(head, grown),
        ]
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the benchmark; 0 when all runs ended with the same results."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.engines", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--rows", type=int, nargs="+", default=list(_SIZES), help="default: %(default)s")
    parser.add_argument("--engines", nargs="+", default=list(_ENGINES), help="kinds; default: %(default)s")
    parser.add_argument("--output", type=Path, required=True, metavar="FOLDER", help="for JSON and Markdown")
    arguments = parser.parse_args(argv)
    arguments.output.mkdir(parents=True, exist_ok=True)
    try:
        with tempfile.TemporaryDirectory(prefix="stf-benchmark-") as folder:
            result = compare(arguments.engines, sorted(arguments.rows), Path(folder), partial(_save, arguments.output))
    except ScalableTFError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    (arguments.output / "engines.md").write_text(report(result), encoding="utf-8")
    print(report(result))
    return 0


def _save(output: Path, result: dict[str, Any]) -> None:
    (output / "engines.json").write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
