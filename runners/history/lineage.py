"""What made a release: from the version's folder back to the data, by ML Metadata, the disk and release.json.

The three are compared. What ML Metadata does not know, of a release that was copied here for example, release.json
still does.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ml_metadata.proto import metadata_store_pb2

from components.pusher.executor import DESTINATION_PROPERTY
from configs.settings import Settings
from runners.history.existing_store import existing_store
from runners.history.graph import Graph, text
from runners.history.known_release import KnownRelease, read_release
from runners.history.on_disk import OnDisk, on_disk
from runners.history.release_checks import Check, check_artifacts, check_files
from runners.history.release_data import ReleaseData, release_data
from runners.history.release_schema import ReleaseSchema, release_schema
from schemas.errors import RunError
from serving.release import Release


@dataclass(frozen=True)
class ArtifactNode:
    """An artifact of the lineage: id and type in ML Metadata, its place, and whether it is there, altered, or gone."""

    id: int
    type: str
    uri: str
    state: str
    on_disk: OnDisk


@dataclass(frozen=True)
class ExecutionNode:
    """An execution of the lineage, the one that really made its outputs: its id, node, run, start and seconds."""

    id: int
    node: str
    run_id: str
    started: int
    seconds: float


@dataclass(frozen=True)
class Edge:
    """`input`: the execution read the artifact; `output`: it made it."""

    execution: int
    artifact: int
    key: str
    kind: str


@dataclass
class Lineage:
    """What made a release; as JSON, this is `scalable-tf lineage RELEASE --json`.

    Attributes:
        release: release.json: version, run, fingerprints of data, code and settings, metrics, blessing, files.
        path: the version's folder.
        known: whether ML Metadata knows it. If not, `missing` says why, and what follows is empty.
        missing: why there is no more.
        checks: what was compared, and how it came out.
        data: what the model was trained and evaluated on.
        schema: what the data was held to.
        pusher: id of the execution that released it.
        executions: those that made it, by id.
        artifacts: what they made and read, by id.
        edges: which execution read and made which artifact.
    """

    release: dict[str, Any]
    path: str
    known: bool = False
    missing: str = ""
    checks: list[Check] = field(default_factory=list)
    data: list[ReleaseData] = field(default_factory=list)
    schema: ReleaseSchema | None = None
    pusher: int | None = None
    executions: list[ExecutionNode] = field(default_factory=list)
    artifacts: list[ArtifactNode] = field(default_factory=list)
    edges: list[Edge] = field(default_factory=list)


def release_lineage(settings: Settings, directory: Path) -> Lineage:
    """The lineage of a version.

    Args:
        settings: name the store.
        directory: the version's folder.

    Raises:
        ReleaseError: it has no readable release.json.
    """
    release = Release.load(directory)
    lineage = Lineage(release.model_dump(mode="json"), str(directory), checks=[check_files(release, directory)])
    try:
        connection = existing_store(settings)
    except RunError as error:
        lineage.missing = f"{error.what} {error.where}"
        return lineage
    with connection as metadata:
        known = read_release(metadata.store, release)
    add_lineage(lineage, release, known)
    return lineage


def add_lineage(lineage: Lineage, release: Release, known: KnownRelease) -> None:
    """Adds to a lineage what is known of the release, and what the disk says of that."""
    if not known.run:
        lineage.checks.append(Check("run", "unknown", f"the store does not know run {release.run_id}"))
    if known.pusher is None:
        lineage.missing = (
            f"Run {release.run_id} is known, but no Pusher of it: what it was is not in this store."
            if known.run
            else f"The store does not know run {release.run_id}: the release was made with another one."
        )
        return
    graph = known.graph
    lineage.known = True
    lineage.pusher = known.pusher
    lineage.checks.append(_check_pushed(known.pushed, lineage.path))
    lineage.checks += check_artifacts(release, graph, known.pusher)
    lineage.data = release_data(graph)
    lineage.schema = release_schema(graph, known.pusher, {id: node for id, (_, node) in known.runs.items()})
    lineage.executions = [_execution(graph.executions[id], *known.runs[id]) for id in sorted(graph.executions)]
    lineage.artifacts = [_artifact(graph.artifacts[id]) for id in sorted(graph.artifacts)]
    lineage.edges = _edges(graph)


def _check_pushed(pushed: Any | None, path: str) -> Check:
    if pushed is None:
        return Check("store", "unknown", "the run was ended before it could say that it released this version")
    destination = text(pushed, DESTINATION_PROPERTY)
    if os.path.realpath(destination) != os.path.realpath(path):
        return Check("store", "unknown", f"a copy: it was released to {destination}")
    return Check("store", "same", f"PushedModel {pushed.id} has the key of release.json")


def _execution(execution: Any, run_id: str, node: str) -> ExecutionNode:
    started = execution.create_time_since_epoch
    return ExecutionNode(execution.id, node, run_id, started, (execution.last_update_time_since_epoch - started) / 1000)


def _artifact(artifact: Any) -> ArtifactNode:
    state = metadata_store_pb2.Artifact.State.Name(artifact.state).lower()
    return ArtifactNode(artifact.id, artifact.type, artifact.uri, state, on_disk(artifact))


def _edges(graph: Graph) -> list[Edge]:
    found = []
    for kind, links in (("input", graph.inputs), ("output", graph.outputs)):
        for execution in sorted(links):
            found += [Edge(execution, link.artifact, link.key, kind) for link in links[execution]]
    return found
