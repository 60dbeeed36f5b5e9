"""Our pipeline beside stock TFX, from CSV to pushed model.

    python -m benchmarks.pipeline --rows 15002 300000 3000000
    python -m benchmarks.pipeline --rows 15002 --json pipeline.json

The first writes pipeline.json, pipeline.md and pipeline.png to docs/benchmarks, or to `--output FOLDER`; the second
one size as JSON.

Both sides run in this one call, one after the other: each in a fresh process with a fresh output folder, on the same
CSV, with the same settings, in the same byte-compiled environment, and `seconds` is the wall time of the whole process.
Both train as many steps: those of the settings' epochs, but no more than `--steps`. The stock side is described in
`benchmarks.stock_pipeline` and `benchmarks.stock_training`, the rows in `benchmarks.rows`, memory in
`benchmarks.measure`, seconds of nodes in `benchmarks.nodes`. TFX is imported once before, which brings the files of the
environment into the page cache. With `--repeat K` the two take turns K times, and every number of the result is the
median. With `--warm` each process runs twice, into folders of their own, and the second run counts
(`benchmarks.second_run`).

The results of the sides are compared (`benchmarks.checks`): where they differ, the figures are written all the same,
and the exit code is 1.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.checks import require
from benchmarks.comparison import STEPS, compare
from benchmarks.machine import require_byte_code
from benchmarks.pipeline_plots import plot_sizes
from benchmarks.pipeline_report import report_size, report_sizes
from benchmarks.rows import SAMPLE_ROWS
from schemas.errors import ScalableTFError

_ROOT = Path(__file__).resolve().parent.parent


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the benchmark; 0 when both sides ran to their end and gave the same results."""
    parser = _parser()
    arguments = parser.parse_args(argv)
    if arguments.repeat < 1:
        parser.error("--repeat must be at least 1")
    if arguments.steps < 1:
        parser.error("--steps must be at least 1")
    if arguments.json and len(arguments.rows) > 1:
        parser.error("--json takes one size; --output FOLDER takes several")
    results: list[dict[str, Any]] = []
    try:
        require_byte_code()
        for rows in sorted(set(arguments.rows)):
            with _folder(arguments.keep and arguments.keep / str(rows)) as folder:
                results.append(
                    compare(
                        folder,
                        rows,
                        config=arguments.config,
                        steps=arguments.steps,
                        seed=arguments.seed,
                        repeat=arguments.repeat,
                        warm=arguments.warm,
                    )
                )
            if arguments.json:
                _write_json(arguments.json, results[0])
            else:
                write(results, arguments.output)
            print(report_size(results[-1]), flush=True)
        require([check for result in results for check in result["checks"]])
    except ScalableTFError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def write(results: Sequence[Mapping[str, Any]], output: Path) -> None:
    """Writes pipeline.json, pipeline.md and pipeline.png.

    Args:
        results: as `benchmarks.comparison.compare` gives them, the smallest first.
        output: folder; made if it is not there.
    """
    output.mkdir(parents=True, exist_ok=True)
    _write_json(output / "pipeline.json", {"sizes": list(results)})
    (output / "pipeline.md").write_text(report_sizes(results), encoding="utf-8")
    plot_sizes(results, output / "pipeline.png")


def _write_json(file: Path, value: Mapping[str, Any]) -> None:
    file.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pipeline", description=(__doc__ or "").split("\n")[0])
    parser.add_argument(
        "--rows", type=int, nargs="+", default=[SAMPLE_ROWS], metavar="N", help="default: the real sample, %(default)s"
    )
    place = parser.add_mutually_exclusive_group()
    place.add_argument("--json", type=Path, metavar="FILE", help="for the result of one size, in place of --output")
    place.add_argument(
        "--output",
        type=Path,
        default=_ROOT / "docs" / "benchmarks",
        metavar="FOLDER",
        help="for JSON, Markdown and plot; default: %(default)s",
    )
    parser.add_argument("--repeat", type=int, default=1, help="turns of each side; the result is the median")
    parser.add_argument("--warm", action="store_true", help="measure the second run of one process")
    parser.add_argument(
        "--steps", type=int, default=STEPS, metavar="N", help="train no more than so many; default: %(default)s"
    )
    parser.add_argument("--seed", type=int, default=42, help="of the rows")
    parser.add_argument(
        "-c", "--config", type=Path, default=_ROOT / "configs" / "taxi.yaml", help="settings of both sides"
    )
    parser.add_argument(
        "--keep", type=Path, metavar="FOLDER", help="work in it, a folder for each size, and leave all there"
    )
    return parser


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
