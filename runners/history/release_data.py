"""Which data a release was trained and evaluated on, and whether the files are still there."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import Any, Literal

from components.example_gen.data_files import is_remote
from components.example_gen.files import list_files
from components.example_gen.fingerprint import fingerprint
from configs.data import Source
from runners.history.graph import Graph, number, text
from schemas.artifacts import ROWS_PROPERTY
from schemas.errors import DataError

_COMPARED_BYTES = 1 << 30
"""Reading more than this, only to say that it has not changed, would be felt."""


@dataclass(frozen=True)
class ReleaseData:
    """The input of one ExampleGen.

    Attributes:
        artifact: id of the Examples.
        path: file, folder or pattern that was read.
        fingerprint: of the files: how many, bytes, and SHA-256.
        span: of the data; 0 where the path names none.
        rows: by split.
        files: unchanged, changed, gone, or not compared (they are large, or in a remote store).
    """

    artifact: int
    path: str
    fingerprint: str
    span: int
    rows: dict[str, int]
    files: Literal["unchanged", "changed", "gone", "not compared"]


def release_data(graph: Graph) -> list[ReleaseData]:
    """The inputs of each ExampleGen of a lineage."""
    found = []
    for artifact_id, artifact in sorted(graph.artifacts.items()):
        known = text(artifact, "input_fingerprint")
        if known and artifact_id in graph.producers:
            execution = graph.executions[graph.producers[artifact_id]]
            path = read_path(execution)
            source = json.loads(text(execution, "ingestion") or "{}").get("source", "csv")
            rows = json.loads(text(artifact, ROWS_PROPERTY) or "{}")
            span = number(artifact, "span") or 0
            found.append(ReleaseData(artifact_id, path, known, span, rows, _files(path, source, known)))
    return found


def read_path(execution: Any) -> str:
    """What an execution of ExampleGen read: a file, a folder or a pattern; empty of any other execution."""
    splits = json.loads(text(execution, "input_config") or "{}").get("splits", [])
    return os.path.join(text(execution, "input_base"), splits[0].get("pattern", "")) if splits else ""


def _files(path: str, source: Source, known: str) -> Literal["unchanged", "changed", "gone", "not compared"]:
    if is_remote(path):
        return "not compared"
    try:
        files = list_files(path, source)
        sizes = sum(os.path.getsize(file) for file in files)
        if not known.startswith(f"files:{len(files)},bytes:{sizes},"):
            return "changed"
        if sizes > _COMPARED_BYTES:
            return "not compared"
        return "unchanged" if fingerprint(files) == known else "changed"
    except (DataError, OSError):
        return "gone"
