"""Our model beside scikit-learn's HistGradientBoosting, on the same rows and columns.

    python -m benchmarks.quality -c configs/taxi.yaml --json quality.json

It runs our pipeline (or takes a run that is there, `--run OUTPUT_DIR`) and reads the train and eval rows that its
ExampleGen wrote, the columns that its features read (the label's own columns only where a feature reads them too).
HistGradientBoosting is trained on the train rows (see `benchmarks.baseline`). Both are judged on the same eval rows, by
the metrics of the label's kind: ours through the released SavedModel's `serving_default`, on the raw examples.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.baseline import fit_baseline
from benchmarks.markdown import markdown_table
from benchmarks.output_dir import examples_folder, released_model
from benchmarks.run_command import run_command, settings_arguments
from benchmarks.scores import class_score, number_score, score
from configs.load import load_settings
from configs.settings import Settings
from schemas.errors import RunError, ScalableTFError
from schemas.expression import Expression
from schemas.features import BinaryLabel, Label, NumericLabel, OneHotLabel

_ROOT = Path(__file__).resolve().parent.parent
_OURS = "ours"
_BASELINE = "hist_gradient_boosting"
_METRICS = ("auc", "log_loss", "accuracy", "mean_absolute_error", "root_mean_squared_error", "calibration")

_Array = npt.NDArray[np.generic]


def compare(settings: Settings, output_dir: Path) -> dict[str, Any]:
    """Judges a run's released model beside the baseline. Imports TensorFlow.

    Args:
        settings: of the run.
        output_dir: of the run.

    Returns:
        JSON-ready: `rows` by split, `columns`, `categorical`, and the metrics of `ours` and `hist_gradient_boosting`.

    Raises:
        RunError: the run has no examples or no release.
    """
    from benchmarks.examples import read_columns
    from benchmarks.predictions import predict

    table = settings.table
    model = released_model(output_dir, settings.model_name)
    splits = {split: examples_folder(output_dir, split) for split in ("train", settings.evaluation.split)}
    train, judged = (read_columns(folder, table.columns) for folder in splits.values())
    train_labels, labels = (_labels(settings.label, rows) for rows in (train, judged))
    baseline = fit_baseline(table, train, train_labels, settings.training.seed, settings.training.loss)
    predictions, _ = predict(model, splits[settings.evaluation.split])
    return {
        "rows": {"train": len(train_labels), settings.evaluation.split: len(labels)},
        "columns": list(baseline.columns),
        "categorical": list(baseline.categorical),
        _OURS: _scores(settings.label, labels, predictions),
        _BASELINE: _scores(settings.label, labels, baseline.predict(judged)),
    }


def _labels(label: Label, rows: Mapping[str, _Array]) -> npt.NDArray[np.float64]:
    if isinstance(label, BinaryLabel):
        return np.asarray(Expression(label.expression)(rows)).astype(np.float64)
    if isinstance(label, OneHotLabel):
        places = {name.encode(): place for place, name in enumerate(label.classes)}
        return np.array([places[name] for name in rows[label.column]], np.float64)
    return rows[label.column].astype(np.float64)


def _scores(label: Label, labels: npt.NDArray[np.float64], predictions: npt.NDArray[np.float64]) -> dict[str, float]:
    if isinstance(label, BinaryLabel):
        return asdict(score(labels, predictions))
    return (number_score if isinstance(label, NumericLabel) else class_score)(labels, predictions)


def report(result: Mapping[str, Any]) -> str:
    """The result as a Markdown table."""
    rows = [
        (metric.replace("_", " "), *(f"{result[side][metric]:.4f}" for side in (_OURS, _BASELINE)))
        for metric in _METRICS
        if metric in result[_OURS]
    ]
    return markdown_table(("metric", "ours", "HistGradientBoosting"), rows)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the benchmark; 0 when there is a result."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality", description=(__doc__ or "").split("\n")[0])
    parser.add_argument(
        "-c", "--config", type=Path, action="append", required=True, help="settings file; may be repeated"
    )
    parser.add_argument("--json", type=Path, required=True, help="file for the result")
    parser.add_argument("--run", type=Path, metavar="OUTPUT_DIR", help="take this run instead of a new one")
    arguments = parser.parse_args(argv)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    try:
        settings = load_settings(arguments.config)
        if arguments.run is not None:
            result = compare(settings, arguments.run)
        else:
            with tempfile.TemporaryDirectory(prefix="stf-benchmark-") as folder:
                output_dir = Path(folder) / "ours"
                command = [*run_command(), *settings_arguments(arguments.config, {"output_dir": output_dir})]
                if subprocess.run(command, cwd=_ROOT, check=False).returncode != 0:
                    raise RunError("Our pipeline failed; see above.", where="scalable-tf run")
                result = compare(settings, output_dir)
    except ScalableTFError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    arguments.json.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(report(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
