"""Which runs, executions and artifacts are kept, each with the reason."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ml_metadata.proto import metadata_store_pb2

from runners.history.graph import number, read_graph, text, trace_back
from runners.history.known_release import find_pushed
from runners.history.runs import run_executions
from runners.run_record import RunRecord
from schemas.artifacts import LABEL_PROPERTY, SPAN_PROPERTY
from serving.release import Release

BLESSED = "the latest blessed model: what the next one is compared with"


@dataclass
class Kept:
    """The reason for keeping each of these; the first one counts.

    Attributes:
        runs: by run id.
        executions: by id: those of kept runs, and those that made what is kept.
        artifacts: by id.
        oldest: when the first execution of the newest runs was registered, in milliseconds since 1970; None: there are
            none.
    """

    runs: dict[str, str] = field(default_factory=dict)
    executions: dict[int, str] = field(default_factory=dict)
    artifacts: dict[int, str] = field(default_factory=dict)
    oldest: int | None = None


def what_to_keep(
    store: Any,
    records: Sequence[Sequence[RunRecord]],
    releases: Iterable[Release],
    artifacts: Mapping[int, Any],
    newest: int,
) -> Kept:
    """What the releases, the newest runs and the next evaluation need.

    Args:
        store: an `ml_metadata.MetadataStore`.
        records: the runs of this pipeline, newest first, by output_dir, this one first: with one store the runs in
            another one may have taken from the cache what was made here.
        releases: of this pipeline.
        artifacts: of this pipeline, by id.
        newest: how many of the newest runs of each purpose are kept, however they ended; the newest complete one of it
            is kept besides, and those that an orchestrator has not ended.
    """
    kept = Kept()
    for release in releases:
        pushed = find_pushed(store, release)
        kept.runs.setdefault(release.run_id, f"release {release.version} of {release.model}")
        _keep_run(store, kept, release.run_id, kept.runs[release.run_id], [pushed.id] if pushed else [])
    times: list[int] = []
    for place, group in enumerate(records):
        # A night's predictions do not push out the training that made their model.
        for purpose in dict.fromkeys(record.purpose for record in group):
            runs = [record for record in group if record.purpose == purpose]
            for record in runs[:newest]:
                reason = "the newest run" if newest == 1 else f"the newest {newest} runs"
                kept.runs.setdefault(record.run_id, reason)
                executions = _keep_run(store, kept, record.run_id, reason)
                times += [one.create_time_since_epoch for one in executions if place == 0]
            for record in runs[newest:]:
                if record.state == "running" and record.orchestrator:
                    kept.runs.setdefault(record.run_id, f"a run on {record.orchestrator} that has not ended")
                    executions = _keep_run(store, kept, record.run_id, kept.runs[record.run_id])
                    times += [one.create_time_since_epoch for one in executions if place == 0]
            complete = next((record for record in runs if record.state == "complete"), None)
            if complete is not None and complete.run_id not in kept.runs:
                kept.runs[complete.run_id] = "the newest complete run"
                _keep_run(store, kept, complete.run_id, kept.runs[complete.run_id])
    kept.oldest = min(times, default=None)
    for artifact in _latest_blessed(artifacts.values()):
        kept.artifacts.setdefault(artifact, BLESSED)
    return kept


def _keep_run(store: Any, kept: Kept, run_id: str, reason: str, others: Iterable[int] = ()) -> list[Any]:
    """Keeps what a run read, made and found, and all that this was made of. A baseline counts, not what made it."""
    executions = run_executions(store, run_id)
    graph = read_graph(store, executions)
    made = {link.artifact for links in graph.outputs.values() for link in links}
    traced = trace_back(store, {*made, *others}, graph.executions)
    for ids, found in (
        (kept.executions, (graph.executions, traced.executions)),
        (kept.artifacts, (graph.artifacts, traced.artifacts)),
    ):
        for part in found:
            for one in part:
                ids.setdefault(one, reason)
    return executions


def _latest_blessed(artifacts: Iterable[Any]) -> list[int]:
    """For each label the models that LatestBlessed and BaseModel would find for a new candidate, and their blessings.

    The first is the newest one, the second that of the newest span: a model of an old span may be made late.
    """
    live = [one for one in artifacts if one.state == metadata_store_pb2.Artifact.LIVE]
    models = {one.id for one in live if one.type == "Model"}
    latest: dict[str, tuple[int, int]] = {}
    of_newest_span: dict[str, tuple[int, int, int]] = {}
    for one in live:
        if one.type == "ModelBlessing" and number(one, "blessed") == 1 and number(one, "current_model_id") in models:
            label = text(one, LABEL_PROPERTY)
            model, span = number(one, "current_model_id") or 0, number(one, SPAN_PROPERTY)
            latest[label] = max(latest.get(label, (0, 0)), (model, one.id))
            if span is not None:
                of_newest_span[label] = max(of_newest_span.get(label, (-1, 0, 0)), (span, model, one.id))
    return [one for pair in (*latest.values(), *(found[1:] for found in of_newest_span.values())) for one in pair]
