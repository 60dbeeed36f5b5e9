"""What a node gave, as Markdown, which Kubeflow's interface shows beside its task."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tensorflow_metadata.proto.v0 import anomalies_pb2
from tfx.components.example_validator.executor import DEFAULT_FILE_NAME as ANOMALIES_FILE

from components.evaluator.metrics_table import FILE_NAME as METRICS_FILE
from components.evaluator.metrics_table import OVERALL
from pipeline import nodes
from runners.node import NodeOutcome
from schemas.artifacts import NOTES_PROPERTY, REASON_PROPERTY, ROWS_PROPERTY
from serving.blessing import FILE_NAME as BLESSING_FILE
from serving.blessing import Blessing

_SLICES = 50


def node_report(outcome: NodeOutcome) -> str:
    """The report of a node that ended well: its own part, and where everything is that it made."""
    made = [(key, output.uri) for key, outputs in outcome.outputs.items() for output in outputs]
    parts = [
        f"# {outcome.node_id}: {outcome.state}",
        *_OF_NODES.get(outcome.node_id, lambda _: ())(outcome),
        _table(("output", "place"), made) if made else "It gave nothing.",
    ]
    return "\n\n".join(parts) + "\n"


def overall_metrics(outcome: NodeOutcome) -> dict[str, float]:
    """The numbers of the Evaluator that hold for all rows."""
    return {
        name: value
        for name, value in _metrics(outcome)[OVERALL].items()
        if isinstance(value, (int, float)) and not isinstance(value, bool)
    }


def _examples(outcome: NodeOutcome) -> Iterable[str]:
    properties = outcome.outputs["examples"][0].properties
    rows = json.loads(properties.get(ROWS_PROPERTY) or "{}")
    if rows:
        yield _table(("split", "rows"), [(split, f"{count:,}") for split, count in rows.items()])
    for note in json.loads(properties.get(NOTES_PROPERTY) or "[]"):
        yield f"Note: {_plain(note)}"


def _anomalies(outcome: NodeOutcome) -> Iterable[str]:
    found = []
    for file in sorted(Path(outcome.outputs["anomalies"][0].uri).glob(f"Split-*/{ANOMALIES_FILE}")):
        anomalies = anomalies_pb2.Anomalies.FromString(file.read_bytes())
        split = file.parent.name.removeprefix("Split-")
        found += [(split, name, info.short_description, info.description) for name, info in _of(anomalies)]
    yield _table(("split", "feature", "anomaly", "what"), found) if found else "No anomalies."


def _of(anomalies: Any) -> list[tuple[str, Any]]:
    infos = sorted(anomalies.anomaly_info.items())
    whole = anomalies.dataset_anomaly_info
    return [*infos, *([("all rows", whole)] if whole.reason else [])]


def _training(outcome: NodeOutcome) -> Iterable[str]:
    for run in outcome.outputs.get("model_run", ()):
        yield f"TensorBoard: `tensorboard --logdir {run.uri}`, where the volume is mounted."


def _evaluation(outcome: NodeOutcome) -> Iterable[str]:
    metrics = _metrics(outcome)
    names = list(overall_metrics(outcome))
    largest = sorted((name for name in metrics if name != OVERALL), key=lambda name: -_rows(metrics[name]))
    rows = [(name, *(_number(metrics[name].get(one)) for one in names)) for name in (OVERALL, *largest[:_SLICES])]
    yield _table(("slice", *names), rows)
    if len(largest) > _SLICES:
        yield f"And {len(largest) - _SLICES} smaller slices, in {METRICS_FILE}."
    blessing = Blessing.load(_evaluated(outcome) / BLESSING_FILE)
    yield "**Blessed.**" if blessing.blessed else "**Not blessed**, so nothing is released."
    if blessing.forced:
        yield f"By force: {_plain(blessing.forced)}"
    if blessing.failures:
        failures = [(one.slice, one.metric, _number(one.value), one.bound) for one in blessing.failures]
        yield _table(("slice", "metric", "value", "bound"), failures)
    yield f"Baseline: {blessing.baseline or 'none'}"


def _release(outcome: NodeOutcome) -> Iterable[str]:
    for pushed in outcome.outputs.get("pushed_model", ()):
        destination = pushed.properties.get("pushed_destination")
        yield f"Released: {destination}" if destination else "Nothing was released."
        if reason := pushed.properties.get(REASON_PROPERTY):
            yield _plain(reason)


_OF_NODES: Mapping[str, Callable[[NodeOutcome], Iterable[str]]] = {
    nodes.EXAMPLE_GEN: _examples,
    nodes.EXAMPLE_VALIDATOR: _anomalies,
    nodes.TRAINER: _training,
    nodes.EVALUATOR: _evaluation,
    nodes.PUSHER: _release,
}


def _evaluated(outcome: NodeOutcome) -> Path:
    return Path(outcome.outputs["evaluation"][0].uri)


def _metrics(outcome: NodeOutcome) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = json.loads((_evaluated(outcome) / METRICS_FILE).read_text(encoding="utf-8"))
    return found


def _rows(metrics: Mapping[str, Any]) -> float:
    return float(metrics.get("example_count") or 0.0)


def _number(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, (int, float)) else "-"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(_plain(cell) for cell in line) + " |" for line in lines)


def _plain(text: str) -> str:
    """Text of the data: what would be markup in it is none."""
    for sign in "\\|<>`*_[]":
        text = text.replace(sign, f"\\{sign}" if sign not in "<>" else {"<": "&lt;", ">": "&gt;"}[sign])
    return " ".join(text.split())
