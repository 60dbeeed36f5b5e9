"""Whether the files of a release, and what ML Metadata knows of it, are what release.json says."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from runners.history.graph import Graph
from schemas.errors import ReleaseError
from serving import saved_model
from serving.release import Release
from serving.verification import file_faults

Outcome = Literal["same", "differs", "gone", "unknown"]
_SERVING = "Format-Serving"
_SHOWN = 3


@dataclass(frozen=True)
class Check:
    """One comparison with release.json.

    Attributes:
        what: files, run, store, model or schema.
        outcome: same; differs: something was altered; gone: there is nothing to compare; unknown: to ML Metadata.
        message: what was found.
    """

    what: str
    outcome: Outcome
    message: str


def check_files(release: Release, directory: Path) -> Check:
    """The files of the version's folder, by their checksums."""
    changes = [fault.message for fault in file_faults(directory, release)]
    if not changes:
        return Check("files", "same", f"{len(release.files)} files are those that were released")
    more = f" and {len(changes) - _SHOWN} more" if len(changes) > _SHOWN else ""
    return Check("files", "differs", ", ".join(changes[:_SHOWN]) + more)


def check_artifacts(release: Release, graph: Graph, pusher: int) -> list[Check]:
    """The trained model and the schema that the Pusher read, as far as they are still on the disk."""
    checks = []
    for link in graph.inputs.get(pusher, ()):
        uri = Path(graph.artifacts[link.artifact].uri)
        if link.key == "model":
            checks.append(_check_model(release, uri))
        elif link.key == "schema":
            checks.append(_check_schema(release, uri / "schema.pbtxt"))
    return checks


def _check_model(release: Release, uri: Path) -> Check:
    try:
        same = release.is_of(saved_model.checksums(uri / _SERVING))
    except ReleaseError:
        return Check("model", "gone", f"the trained model is no longer in {uri}; the release holds a copy")
    if same:
        return Check("model", "same", "the trained model is the released one")
    return Check("model", "differs", f"the trained model in {uri} is not the one that was released")


def _check_schema(release: Release, file: Path) -> Check:
    try:
        found = hashlib.sha256(file.read_bytes()).hexdigest()
    except OSError:
        return Check("schema", "gone", f"the schema is no longer in {file}")
    if found == release.schema_hash:
        return Check("schema", "same", "the schema is the one of release.json")
    return Check("schema", "differs", f"{file} was changed: its SHA-256 is {found}")
