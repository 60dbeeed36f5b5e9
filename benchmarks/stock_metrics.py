"""Metrics of the stock side over all rows, as its Evaluator wrote them.

    python -m benchmarks.stock_metrics OUTPUT_DIR

It prints one line of JSON, and is a process of its own so that the benchmark's stays small (see `benchmarks.measure`).
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks.output_dir import evaluation_folder
from benchmarks.timed_process import child_environment
from schemas.errors import RunError


def stock_metrics(output_dir: Path) -> dict[str, float]:
    """Values by our names.

    Args:
        output_dir: of a run of the stock side.

    Raises:
        RunError: TFMA could not read the evaluation.
    """
    command = [sys.executable, "-m", "benchmarks.stock_metrics", str(output_dir)]
    ran = subprocess.run(command, env=child_environment(), capture_output=True, text=True, check=False)
    if ran.returncode != 0:
        raise RunError("TFMA could not read the evaluation.", where=str(output_dir), received=ran.stderr[-2000:])
    metrics: dict[str, float] = json.loads(ran.stdout.splitlines()[-1])
    return metrics


def _read(evaluation: Path) -> dict[str, float]:
    import tensorflow_model_analysis as tfma

    values: dict[str, Any] = tfma.load_eval_result(str(evaluation)).get_metrics_for_slice(())
    return {name: value["doubleValue"] for name, value in values.items() if "doubleValue" in value}


def main() -> None:
    """Prints the metrics of a run."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.stock_metrics", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("output_dir", type=Path)
    print(json.dumps(_read(evaluation_folder(parser.parse_args().output_dir))))


if __name__ == "__main__":
    main()
