"""What a run that predicts says at its end."""

from __future__ import annotations

import datetime
import json
from pathlib import Path

from rich.console import Console

from components.bulk_inferrer.manifest import Manifest
from components.example_gen.spans import has_span
from configs.settings import Settings
from pipeline import nodes
from pipeline.pipeline import root
from runners.local import RunResult
from runners.node import Output
from schemas.artifacts import NOTES_PROPERTY

_EPOCH = datetime.date(1970, 1, 1)


def predictions_target(result: RunResult, settings: Settings) -> Path:
    """Where predictions are handed over unless a folder is named: `predictions/` and the span or date, or the name."""
    data = settings.inference.data(settings.data)
    path, name = data.path or "", settings.name
    if has_span(path) or (data.query is not None and data.span is not None):
        span = int(_only(result, nodes.INFERENCE_EXAMPLE_GEN, "examples").properties["span"])
        name = (_EPOCH + datetime.timedelta(days=span)).isoformat() if "{YYYY}" in path else str(span)
    return root(settings) / "predictions" / name


def print_inference(result: RunResult, target: Path, console: Console) -> None:
    """Rows, model and place of the predictions, and what is odd about the data."""
    made = predictions(result)
    manifest = Manifest.load(made)
    for note in json.loads(_only(result, nodes.INFERENCE_EXAMPLE_GEN, "examples").properties[NOTES_PROPERTY] or "[]"):
        console.print(f"Note: {note}", markup=False, highlight=False, soft_wrap=True)
    release = manifest.model["release"]
    named = f", release {release}" if release is not None else ""
    lines = {
        "Model": f"{manifest.model['uri']}{named}",
        "Rows": f"{manifest.rows['predicted']:,} predicted, {manifest.rows['rejected']:,} rejected, "
        f"of {manifest.rows['read']:,}",
        "Columns": ", ".join(f"{name} ({kind})" for name, kind in manifest.columns.items()),
        "Predictions": f"{target} ({len(manifest.files)} {'file' if len(manifest.files) == 1 else 'files'})",
    }
    for key, text in lines.items():
        console.print(f"{key}: {text}", markup=False, highlight=False, soft_wrap=True)
    cached = sum(outcome.state == "cached" for outcome in result.outcomes.values())
    console.print(f"{len(result.outcomes)} nodes, {cached} of them cached, in {result.seconds:.1f} s.", highlight=False)


def predictions(result: RunResult) -> Path:
    """The folder of the InferenceResult artifact."""
    return Path(_only(result, nodes.BULK_INFERRER, "inference_result").uri)


def _only(result: RunResult, node_id: str, key: str) -> Output:
    (output,) = result.outcomes[node_id].outputs[key]
    return output
