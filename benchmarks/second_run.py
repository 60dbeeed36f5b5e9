"""The second of two runs of one process: what a pipeline takes without imports, start and exit.

    python -m benchmarks.second_run SIDE TIMES.json FIRST SECOND -- ARGUMENT ...

SIDE `stock` calls `benchmarks.stock_pipeline` and `ours` calls `scalable-tf run`, with the arguments, and first with
the folder FIRST as output_dir, then with SECOND. Neither run finds anything of the other's: FIRST and SECOND have
stores and caches of their own. TIMES.json takes wall and processor seconds of the second.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path


def _stock(arguments: Sequence[str]) -> None:
    from benchmarks.stock_pipeline import main as stock_pipeline

    stock_pipeline(arguments)


def _ours(arguments: Sequence[str]) -> None:
    from runners.cli import main as scalable_tf

    code = scalable_tf(["run", *arguments])
    if code != 0:
        sys.exit(code)


_SIDES: dict[str, Callable[[Sequence[str]], None]] = {"stock": _stock, "ours": _ours}


def main(argv: Sequence[str] | None = None) -> None:
    """Runs a side twice, and writes what the second run took."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.second_run", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("side", choices=sorted(_SIDES))
    for name in ("times", "first", "second"):
        parser.add_argument(name, type=Path)
    parser.add_argument("arguments", nargs="+")
    given = parser.parse_args(argv)
    run = _SIDES[given.side]
    run([*given.arguments, "--set", f"output_dir={given.first.absolute()}"])
    began, computed = time.monotonic(), _processor_seconds()
    run([*given.arguments, "--set", f"output_dir={given.second.absolute()}"])
    took = {"seconds": time.monotonic() - began, "cpu_seconds": _processor_seconds() - computed}
    given.times.write_text(json.dumps(took) + "\n", encoding="utf-8")


def _processor_seconds() -> float:
    """Of this process and of those that it has waited for."""
    return sum(os.times()[:4])


if __name__ == "__main__":
    main()
