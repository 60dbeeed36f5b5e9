"""A run's folder as its record names it, and its nodes: also those never started, which ML Metadata does not know."""

from __future__ import annotations

import re
from pathlib import Path

from runners.run_folder import PIPELINE_FILE
from runners.run_record import RunRecord

_NODE = re.compile(r"^    node_info \{.*?^      id: \"([^\"]+)\"$", re.MULTILINE | re.DOTALL)
"""A compiled pipeline as text is 10,000 lines, of which a list of runs wants ten."""


def run_logs(record: RunRecord) -> Path | None:
    """The folder of a run's logs; None where it is not on this machine, or no longer."""
    folder = Path(record.output_dir, "logs", record.run_id)
    return folder if record.output_dir and folder.is_dir() else None


def node_ids(record: RunRecord) -> list[str]:
    """Ids of a run's nodes in the order of the graph; empty where its folder of logs is gone."""
    logs = run_logs(record)
    try:
        return _NODE.findall((logs / PIPELINE_FILE).read_text(encoding="utf-8")) if logs else []
    except OSError:
        return []
