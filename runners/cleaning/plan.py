"""What a clean would remove, what it keeps and why, and what it leaves alone."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from ml_metadata.proto import metadata_store_pb2
from tfx.orchestration.metadata import Metadata

from configs.window import Window
from pipeline.nodes import EXAMPLE_GEN, INFERENCE_EXAMPLE_GEN, SERVING_EXAMPLE_GEN
from runners.cleaning.folders import Folder
from runners.cleaning.kept import Kept, what_to_keep
from runners.cleaning.stored import Stored, other_executions, read_stored
from runners.cleaning.window import keep_window
from runners.history.graph import events_of_artifacts
from runners.history.release_data import read_path
from runners.run_record import RunRecord, run_records
from schemas.errors import ReleaseError
from serving.release import Release
from serving.releases import ReleaseStore

NOT_NEEDED = "no kept release or run needs it"
KILLED = "left by a run that was killed or failed"
INTERRUPTED = "left by a clean that was killed"
TEMPORARY = "working folders of TFX's drivers, older than the kept runs"
OLD_PREPARED = "prepared data that no kept release or run used"
OLD_LOGS = "logs of a run that is not kept"
OLD_NOTES = "notes of what a webhook was told of a run of which nothing else is left"
UNKNOWN = "unknown to the metadata store"
OTHERS = "of other pipelines"
READ_BY_OTHERS = "read by another pipeline"
NEWEST_PREPARED = "the newest prepared data"
YOUNG = "working folders of TFX's drivers, as new as the kept runs"

_UNFINISHED = (
    metadata_store_pb2.Execution.NEW,
    metadata_store_pb2.Execution.RUNNING,
    metadata_store_pb2.Execution.FAILED,
    metadata_store_pb2.Execution.CANCELED,
)
_PREPARE = (EXAMPLE_GEN, INFERENCE_EXAMPLE_GEN, SERVING_EXAMPLE_GEN)
_INPUTS = (metadata_store_pb2.Event.INPUT, metadata_store_pb2.Event.DECLARED_INPUT)
_LIVE = metadata_store_pb2.Artifact.LIVE


@dataclass(frozen=True)
class Doomed:
    """A folder to remove: its path, bytes, why, and the ids of the artifacts in it."""

    path: str
    bytes: int
    reason: str
    artifacts: list[int]


@dataclass
class Sum:
    """Folders that stay for one reason: how many, and their bytes."""

    reason: str
    folders: int = 0
    bytes: int = 0


@dataclass
class Plan:
    """What a clean does; as JSON, this is `scalable-tf clean --json`, which adds `done`: whether it was done.

    Attributes:
        remove: folders to remove.
        forget: ids of artifacts that ML Metadata takes for live, that nothing needs, and whose files are gone.
        keep: what is kept, by reason.
        leave: what is not this pipeline's, or not known, by reason.
        notes: what the reader should know besides.
    """

    remove: list[Doomed] = field(default_factory=list)
    forget: list[int] = field(default_factory=list)
    keep: list[Sum] = field(default_factory=list)
    leave: list[Sum] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def make_plan(
    metadata: Metadata,
    pipeline: str,
    output_dir: Path,
    folders: Sequence[Folder],
    *,
    newest: int,
    logs: bool = False,
    unknown: bool = False,
    window: Window | None = None,
    releases: Path | None = None,
    exists: Callable[[str], bool] = os.path.lexists,
) -> Plan:
    """The plan; nothing is changed.

    Args:
        metadata: an entered connection.
        pipeline: the pipeline's name.
        output_dir: absolute.
        folders: what lies in it; listed before the connection was entered, because others wait for that.
        newest: how many of the newest runs are kept.
        logs: whether logs of runs that are not kept go too.
        unknown: whether outputs go that the store does not know, as there are when an older copy of it was put back.
        window: what later runs read of earlier spans; None: nothing.
        releases: where the records of the releases in output_dir are; default: in it.
        exists: whether there is anything at the real path of an artifact's folder.
    """
    plan, store, artifacts = Plan(), metadata.store, output_dir / "artifacts"
    stored = read_stored(store, pipeline, {*_PREPARE, *(folder.node for folder in folders)}, artifacts)
    here = os.path.realpath(output_dir)
    places: dict[str, list[RunRecord]] = {here: []}
    for record in run_records(metadata, pipeline):
        places.setdefault(os.path.realpath(record.output_dir or output_dir), []).append(record)
    directories = [releases if releases and place == here else Path(place, "releases") for place in places]
    released = [one for directory in directories for one in _releases(pipeline, directory, plan)]
    kept = what_to_keep(store, list(places.values()), released, stored.artifacts, newest)
    if window is not None:
        keep_window(store, pipeline, window, kept)
    _keep_what_others_read(store, stored, kept)
    others = _known(store, {one.execution for one in folders if one.execution is not None and not _own(one, stored)})
    for folder in folders:
        if folder.kind not in ("prepared", "logs", "told"):
            _judge(folder, stored, kept, others, plan, unknown=unknown)
    if prepared := [folder for folder in folders if folder.kind == "prepared"]:
        read = [one for node in _PREPARE for one in other_executions(store, pipeline, node)]
        _judge_prepared(prepared, stored, kept, read, plan)
    if logs:
        old = {record.run_id for record in places[here]} - kept.runs.keys()
        for folder in folders:
            if folder.kind == "logs" and folder.path.name in old:
                _remove(plan, folder, OLD_LOGS)
            # Kubeflow may still repeat the end of a run that it has just told of.
            elif folder.kind == "told" and kept.oldest is not None and folder.modified * 1000 < kept.oldest:
                _remove(plan, folder, OLD_NOTES)
    plan.forget = sorted(
        one
        for place, ids in stored.places.items()
        if not exists(place)
        for one in ids
        if one not in kept.artifacts and stored.artifacts[one].state == _LIVE
    )
    return plan


def _releases(pipeline: str, directory: Path, plan: Plan) -> list[Release]:
    """The releases that this pipeline made, under whatever name."""
    found = []
    for model in (folder.name for folder in _folders(directory)):
        for version, folder in ReleaseStore(directory, model).versions().items():
            try:
                release = Release.load(folder)
            except ReleaseError:
                note = f"Version {version} of {model} has no readable release.json: nothing is kept for its sake."
                plan.notes.append(note)
                continue
            if release.pipeline == pipeline:
                found.append(release)
    return found


def _keep_what_others_read(store: Any, stored: Stored, kept: Kept) -> None:
    """Pipelines that share a store may read each other's artifacts."""
    own = {id for executions in stored.executions.values() for id in executions}
    candidates = {one for ids in stored.places.values() for one in ids if one not in kept.artifacts}
    live = {one for one in candidates if stored.artifacts[one].state == _LIVE}
    for event in events_of_artifacts(store, live):
        if event.type in _INPUTS and event.execution_id not in own:
            kept.artifacts.setdefault(event.artifact_id, READ_BY_OTHERS)


def _own(folder: Folder, stored: Stored) -> bool:
    return folder.execution in stored.executions[folder.node]


def _known(store: Any, executions: Iterable[int]) -> set[int]:
    ids = sorted(executions)
    return {execution.id for execution in store.get_executions_by_id(ids)} if ids else set()


def _judge(folder: Folder, stored: Stored, kept: Kept, others: set[int], plan: Plan, *, unknown: bool) -> None:
    if folder.kind == "hidden":
        _remove(plan, folder, INTERRUPTED)
    elif folder.kind == "temporary":
        if kept.oldest is not None and folder.modified * 1000 < kept.oldest:
            _remove(plan, folder, TEMPORARY)
        else:
            _stay(plan.keep, folder, YOUNG)
    elif not _own(folder, stored):
        if folder.execution in others:
            _stay(plan.leave, folder, OTHERS)
        elif unknown:
            _remove(plan, folder, UNKNOWN)
        else:
            _stay(plan.leave, folder, UNKNOWN)
    else:
        _judge_own(folder, stored, kept, plan)


def _judge_own(folder: Folder, stored: Stored, kept: Kept, plan: Plan) -> None:
    artifacts = stored.places.get(os.path.realpath(folder.path), [])
    reasons = [kept.artifacts[one] for one in artifacts if one in kept.artifacts]
    if not artifacts and folder.execution in kept.executions:
        reasons = [kept.executions[folder.execution]]
    if reasons:
        _stay(plan.keep, folder, reasons[0])
    elif artifacts:
        live = any(stored.artifacts[one].state == _LIVE for one in artifacts)
        _remove(plan, folder, NOT_NEEDED if live else INTERRUPTED, artifacts)
    elif folder.kind == "system":
        _remove(plan, folder, NOT_NEEDED)
    elif stored.executions[folder.node][folder.execution or 0].last_known_state in _UNFINISHED:
        _remove(plan, folder, KILLED)
    else:
        _stay(plan.leave, folder, UNKNOWN)


def _judge_prepared(folders: Sequence[Folder], stored: Stored, kept: Kept, others: Iterable[Any], plan: Plan) -> None:
    """Folders of prepared data are named by what is in them; an execution says which one it read."""
    shown = [folder for folder in folders if not folder.path.name.startswith(".")]
    newest = max(shown, key=lambda folder: folder.modified, default=None)
    own = (execution for node in _PREPARE for execution in stored.executions[node].values())
    users, other_users = _readers(own), _readers(others)
    for folder in folders:
        place = os.path.realpath(folder.path)
        reasons = [kept.executions[one] for one in users.get(place, ()) if one in kept.executions]
        if reasons or folder is newest:
            _stay(plan.keep, folder, reasons[0] if reasons else NEWEST_PREPARED)
        elif place in other_users:
            _stay(plan.keep, folder, READ_BY_OTHERS)
        elif place in users:
            _remove(plan, folder, OLD_PREPARED)
        else:
            _stay(plan.leave, folder, UNKNOWN)


def _readers(executions: Iterable[Any]) -> dict[str, list[int]]:
    """Ids of executions by the real path of what they read."""
    real = cache(os.path.realpath)
    found: dict[str, list[int]] = {}
    for execution in executions:
        found.setdefault(real(read_path(execution)), []).append(execution.id)
    return found


def _folders(directory: Path) -> list[Path]:
    """The folders in it, links not among them, sorted."""
    if not directory.is_dir():
        return []
    return sorted(path for path in directory.iterdir() if path.is_dir() and not path.is_symlink())


def _remove(plan: Plan, folder: Folder, reason: str, artifacts: Iterable[int] = ()) -> None:
    plan.remove.append(Doomed(str(folder.path), folder.bytes, reason, sorted(artifacts)))


def _stay(sums: list[Sum], folder: Folder, reason: str) -> None:
    total = next((one for one in sums if one.reason == reason), None)
    if total is None:
        total = Sum(reason)
        sums.append(total)
    total.folders += 1
    total.bytes += folder.bytes
