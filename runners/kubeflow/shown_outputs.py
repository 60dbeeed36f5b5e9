"""Writes what Kubeflow's interface shows of a node, to where Kubeflow collects it."""

from __future__ import annotations

import json
import logging
from pathlib import Path

from tensorflow_metadata.proto.v0 import statistics_pb2
from tfx.components.statistics_gen.executor import DEFAULT_FILE_NAME as STATISTICS_FILE

from components.example_validator.empty_lists import count_empty_as_missing, features_with_empty_lists
from pipeline import nodes
from runners.kubeflow.node_report import node_report, overall_metrics
from runners.kubeflow.statistics_page import statistics_page
from runners.node import NodeOutcome

_LOG = logging.getLogger(__name__)


def write_shown(outcome: NodeOutcome, report: Path | None, page: Path | None, executor_input: str) -> None:
    """Writes the outputs of a task; what cannot be shown is logged, because the node's work is done.

    Args:
        outcome: what the node gave.
        report: file for Markdown; None: none.
        page: file for HTML; None: none.
        executor_input: Kubeflow's ExecutorInput as JSON, where numbers are shown; empty: none.

    Source: ExecutorInput and ExecutorOutput of pipeline_spec.proto, kubeflow/pipelines.
    """
    try:
        if report is not None:
            _write(report, node_report(outcome))
        if page is not None and outcome.node_id == nodes.STATISTICS_GEN:
            _write(page, statistics_page(_statistics(outcome)))
        if executor_input and outcome.node_id == nodes.EVALUATOR:
            _write_metrics(json.loads(executor_input), overall_metrics(outcome))
    except Exception as error:  # whatever it is, the node has ended well
        _LOG.warning("What Kubeflow would show of %s could not be written: %r", outcome.node_id, error)


def _statistics(outcome: NodeOutcome) -> dict[str, statistics_pb2.DatasetFeatureStatisticsList]:
    found = {}
    for file in Path(outcome.outputs["statistics"][0].uri).glob(f"Split-*/{STATISTICS_FILE}"):
        statistics = statistics_pb2.DatasetFeatureStatisticsList.FromString(file.read_bytes())
        empty = features_with_empty_lists(statistics)
        found[file.parent.name.removeprefix("Split-")] = count_empty_as_missing(statistics, empty)
    return found


def _write_metrics(executor_input: dict[str, object], metrics: dict[str, float]) -> None:
    """Gives the artifact of metrics its numbers: they are its metadata, which the launcher reads from a file."""
    outputs: dict[str, dict[str, object]] = executor_input["outputs"]  # type: ignore[assignment]
    given: dict[str, list[dict[str, object]]] = outputs["artifacts"]["metrics"]  # type: ignore[assignment]
    artifact = given["artifacts"][0]
    made = {"name": artifact.get("name", ""), "uri": artifact.get("uri", ""), "metadata": metrics}
    _write(Path(str(outputs["outputFile"])), json.dumps({"artifacts": {"metrics": {"artifacts": [made]}}}))


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
