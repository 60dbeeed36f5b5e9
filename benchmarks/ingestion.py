"""ExampleGen alone: memory by the size of its blocks and of the file, and many small files beside one.

    python -m benchmarks.ingestion --output docs/benchmarks

writes ingestion.json and ingestion.md. Each line is a run of `scalable-tf run --to ExampleGen` in a fresh process and a
fresh output folder, on taxi rows of `benchmarks.rows`: first a tenth of `--bytes` in one file with the last of the
block sizes, then all of them with each, then `--rows` rows in one file and in `--files` files. What is measured is said
in `benchmarks.measure`; seconds of ExampleGen come from ML Metadata. The examples are counted.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.machine import machine
from benchmarks.markdown import markdown_table
from benchmarks.measure import measure
from benchmarks.nodes import node_seconds
from benchmarks.output_dir import examples_folder, metadata_file
from benchmarks.record_count import record_count
from benchmarks.rows import write_rows
from benchmarks.run_command import run_command, settings_arguments
from benchmarks.timed_process import child_environment
from schemas.errors import RunError, ScalableTFError

_ROOT = Path(__file__).resolve().parent.parent
_CONFIG = _ROOT / "configs" / "taxi.yaml"
_BYTES_A_ROW = 130.0  # of the taxi sample
_SPLITS = ("train", "eval")
_MEBIBYTE = 1 << 20


@dataclass(frozen=True)
class Ingestion:
    """One run.

    Attributes:
        files: number of files.
        bytes: of all files.
        rows: rows in them.
        block_bytes: `data.block_bytes`.
        seconds: wall time of the process.
        node_seconds: of ExampleGen.
        peak_mb: see `benchmarks.measure.Measurement`.
    """

    files: int
    bytes: int
    rows: int
    block_bytes: int
    seconds: float
    node_seconds: float
    peak_mb: float


def ingest(folder: Path, data: Path, rows: int, block_bytes: int) -> Ingestion:
    """Runs our pipeline up to ExampleGen.

    Args:
        folder: to be made.
        data: a CSV file, or a folder of them.
        rows: how many rows there are.
        block_bytes: `data.block_bytes`.

    Raises:
        RunError: the run failed, or did not make an example of each row.
    """
    folder.mkdir(parents=True)
    output_dir = folder / "run"
    overrides = {"data.path": data, "data.block_bytes": block_bytes, "output_dir": output_dir}
    command = [*run_command(), *settings_arguments([_CONFIG], overrides), "--to", "ExampleGen"]
    measured = measure(command, cwd=_ROOT, environment=child_environment(), log=folder / "log")
    found = sum(record_count(examples_folder(output_dir, split)) for split in _SPLITS)
    if found != rows:
        raise RunError(
            "ExampleGen did not make an example of each row.", where=str(data), received=f"{found} of {rows}"
        )
    files = sorted(data.iterdir()) if data.is_dir() else [data]
    size = sum(file.stat().st_size for file in files)
    seconds = node_seconds(metadata_file(output_dir))["ExampleGen"]
    return Ingestion(len(files), size, rows, block_bytes, measured.seconds, seconds, measured.peak_mb)


def part_file(file: Path, folder: Path, parts: int) -> None:
    """Copies a CSV file without line ends within cells to so many files about as long, each with the header."""
    folder.mkdir(parents=True)
    header, *lines = file.read_bytes().splitlines(keepends=True)
    for part in range(parts):
        first, end = part * len(lines) // parts, (part + 1) * len(lines) // parts
        (folder / f"{part:06}.csv").write_bytes(header + b"".join(lines[first:end]))


def compare(folder: Path, size: int, blocks: Sequence[int], rows: int, files: int) -> dict[str, Any]:
    """All runs, in a folder that is there; JSON-ready."""
    by_block = []
    for some in (size // 10, size):
        count = max(1, round(some / _BYTES_A_ROW))
        csv = folder / f"{some}" / "rows.csv"
        csv.parent.mkdir()
        write_rows(csv, count)
        for block in blocks if some == size else blocks[-1:]:
            by_block.append(_shown(ingest(folder / f"{some}-{block}", csv, count, block)))
        csv.unlink()
    one, many = folder / "one.csv", folder / "many"
    write_rows(one, rows)
    part_file(one, many, files)
    by_files = [_shown(ingest(folder / data.name[:3], data, rows, blocks[-1])) for data in (one, many)]
    return {
        "by_block": [asdict(run) for run in by_block],
        "by_files": [asdict(run) for run in by_files],
        "machine": machine(),
    }


def report(result: dict[str, Any]) -> str:
    """The result as Markdown."""
    first = result["by_files"][0]["node_seconds"]
    sizes = [
        (
            f"{run['bytes'] / _MEBIBYTE:,.0f} MiB",
            f"{run['rows']:,}",
            f"{run['block_bytes'] / _MEBIBYTE:g} MiB",
            run["node_seconds"],
            run["peak_mb"],
        )
        for run in result["by_block"]
    ]
    files = [
        (f"{run['files']:,}", f"{run['rows']:,}", run["node_seconds"], run["node_seconds"] / first, run["peak_mb"])
        for run in result["by_files"]
    ]
    return "\n".join(
        [
            "# ExampleGen\n",
            "Made by `python -m benchmarks.ingestion`; `data.block_bytes` is a setting. Peak memory is that of all "
            "processes together.\n",
            "## One file\n",
            markdown_table(("file", "rows", "block", "ExampleGen, s", "peak MiB"), sizes),
            "## Many small files\n",
            markdown_table(("files", "rows", "ExampleGen, s", "of one file's", "peak MiB"), files),
        ]
    )


def _shown(run: Ingestion) -> Ingestion:
    print(
        f"{run.files} files, {run.rows} rows, blocks of {run.block_bytes}: {run.node_seconds:.1f} s, "
        f"{run.peak_mb:.0f} MiB",
        file=sys.stderr,
        flush=True,
    )
    return run


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the benchmark; 0 when all runs ended and no row is missing."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ingestion", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--bytes", type=int, default=1 << 30, help="of the one file; default: 1 GiB")
    parser.add_argument(
        "--blocks", type=int, nargs="+", default=[1 << 20, 4 << 20, 64 << 20, 16 << 20], help="data.block_bytes"
    )
    parser.add_argument("--rows", type=int, default=300_000, help="of the small files; default: %(default)s")
    parser.add_argument("--files", type=int, default=5000, help="small files; default: %(default)s")
    parser.add_argument("--output", type=Path, required=True, metavar="FOLDER", help="for JSON and Markdown")
    arguments = parser.parse_args(argv)
    try:
        with tempfile.TemporaryDirectory(prefix="stf-benchmark-") as folder:
            result = compare(Path(folder), arguments.bytes, arguments.blocks, arguments.rows, arguments.files)
    except ScalableTFError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    arguments.output.mkdir(parents=True, exist_ok=True)
    (arguments.output / "ingestion.json").write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    (arguments.output / "ingestion.md").write_text(report(result), encoding="utf-8")
    print(report(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
