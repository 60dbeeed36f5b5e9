"""Our side: `scalable-tf run`, and what a run leaves under its output_dir."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from schemas.errors import RunError, SetupError


def our_command(configs: Sequence[Path], output_dir: Path, csv: Path | None = None) -> list[str]:
    """The command that runs a pipeline into a folder.

    Args:
        configs: settings files, as for `-c`.
        output_dir: folder of the run.
        csv: rows to train on; None: those that the settings name.

    Raises:
        SetupError: the product is not installed in the environment of this interpreter.
    """
    program = Path(sys.executable).with_name("scalable-tf")
    if not program.exists():
        raise SetupError("scalable-tf is not installed.", where=str(program), fix="make setup")
    return [str(program), *our_arguments(configs, csv), "--set", f"output_dir={output_dir}"]


def our_arguments(configs: Sequence[Path], csv: Path | None = None) -> list[str]:
    """Arguments of that command, but for the folder.

    Args:
        configs: settings files, as for `-c`.
        csv: rows to train on; None: those that the settings name.
    """
    arguments = ["run"]
    for config in configs:
        arguments += ["-c", str(config.absolute())]
    if csv is not None:
        arguments += ["--set", f"data.path={csv}"]
    return arguments


def our_metadata(output_dir: Path) -> Path:
    """The ML Metadata store (SQLite) of a run."""
    return output_dir / "metadata" / "metadata.sqlite"


def our_metrics(output_dir: Path) -> dict[str, Any]:
    """The Evaluator's metrics over all rows of the newest run in a folder."""
    found = _newest(output_dir / "artifacts" / "Evaluator" / "evaluation", "*/metrics.json")
    metrics: dict[str, Any] = json.loads(found.read_text(encoding="utf-8"))["Overall"]
    return metrics


def our_examples(output_dir: Path, split: str) -> Path:
    """Folder of the raw examples of a split, of the newest ingestion in a folder."""
    return _newest(output_dir / "artifacts" / "ExampleGen" / "examples", f"*/Split-{split}")


def our_statistics(output_dir: Path, split: str) -> Path:
    """Folder of the statistics of a split, of the newest in a folder."""
    return _newest(output_dir / "artifacts" / "StatisticsGen" / "statistics", f"*/Split-{split}")


def our_model(output_dir: Path, name: str) -> Path:
    """The newest released version of a model."""
    return _newest(output_dir / "releases" / name, "*/saved_model.pb").parent


def _newest(folder: Path, pattern: str) -> Path:
    """The match below the folder with the highest number: execution ids and versions both grow."""
    found = [match for match in folder.glob(pattern) if match.relative_to(folder).parts[0].isdigit()]
    if not found:
        raise RunError(
            "The run did not leave what it should.",
            where=str(folder / pattern),
            received="no match",
            fix="See what the run printed: did every node end, and was the model blessed?",
        )
    return max(found, key=lambda match: int(match.relative_to(folder).parts[0]))
