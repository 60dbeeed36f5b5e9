"""What a run leaves under its output_dir, ours or the stock side's."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from schemas.errors import RunError


def metadata_file(output_dir: Path) -> Path:
    """The ML Metadata store (SQLite)."""
    return output_dir / "metadata" / "metadata.sqlite"


def examples_folder(output_dir: Path, split: str) -> Path:
    """The raw examples of a split, of the newest ingestion."""
    return _newest(output_dir / "artifacts" / "ExampleGen" / "examples", f"*/Split-{split}")


def statistics_folder(output_dir: Path, split: str) -> Path:
    """The newest statistics of a split."""
    return _newest(output_dir / "artifacts" / "StatisticsGen" / "statistics", f"*/Split-{split}")


def vocabularies(output_dir: Path) -> dict[str, list[bytes]]:
    """The vocabularies that Transform made: lines, the most frequent value first, by file name."""
    graph = _newest(output_dir / "artifacts" / "Transform" / "transform_graph", "*/transform_fn/saved_model.pb")
    return {file.name: file.read_bytes().splitlines() for file in sorted((graph.parent / "assets").glob("*"))}


def evaluation_folder(output_dir: Path) -> Path:
    """The newest evaluation, as TFMA writes it."""
    return _newest(output_dir / "artifacts" / "Evaluator" / "evaluation", "*/eval_config.json").parent


def our_metrics(output_dir: Path) -> dict[str, Any]:
    """The metrics over all rows that our Evaluator leaves to read, beside TFMA's files."""
    text = (evaluation_folder(output_dir) / "metrics.json").read_text(encoding="utf-8")
    metrics: dict[str, Any] = json.loads(text)["Overall"]
    return metrics


def released_model(output_dir: Path, name: str) -> Path:
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
