"""What AnomalyGate said of a span that it let pass."""

from __future__ import annotations

import json
from pathlib import Path

from components.anomaly_gate.executor import GATE_KEY, REPORT_FILE
from configs.settings import Settings
from runners.history.graph import read_graph
from runners.history.runs import run_executions
from runners.metadata_store import metadata_connection

_DRIFT = ("COMPARATOR_JENSEN_SHANNON_DIVERGENCE_HIGH", "COMPARATOR_L_INFTY_HIGH")


def drift_of(settings: Settings, run_id: str) -> str:
    """The drift that a run has found in its span, in words; empty where there was none.

    Args:
        settings: name the store.
        run_id: a run that went past AnomalyGate.

    Raises:
        RunError: the store cannot be reached.
    """
    with metadata_connection(settings) as metadata:
        graph = read_graph(metadata.store, run_executions(metadata.store, run_id))
    links = [link for found in graph.outputs.values() for link in found if link.key == GATE_KEY]
    for place in (graph.artifacts[link.artifact].uri for link in links):
        try:
            anomalies = json.loads(Path(place, REPORT_FILE).read_text(encoding="utf-8"))["anomalies"]
        except (OSError, ValueError, KeyError):  # removed, or not ours
            continue
        drifted = [one for one in anomalies if one["kind"] in _DRIFT]
        if drifted:
            return f"{drifted[0]['feature']}: {drifted[0]['description']}"
    return ""
