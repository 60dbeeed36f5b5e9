"""What ML Metadata says of a run as a whole: who started it, when, and how it ended.

TFX knows a run as a context of type `pipeline_run`, to which the executions of its nodes belong. The record is that
context's custom properties, so that everyone who can read the store can read it, from any machine.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from datetime import datetime, timezone
from typing import Any, Literal, get_args

from tfx.dsl.compiler.constants import PIPELINE_CONTEXT_TYPE_NAME, PIPELINE_RUN_CONTEXT_TYPE_NAME
from tfx.orchestration.metadata import Metadata
from tfx.orchestration.portable.mlmd import context_lib

State = Literal["running", "complete", "failed", "interrupted", "unknown"]
"""`running` may also be said of a run whose process was killed: it could not say anything else any more. `unknown` are
those that something else than our runner has made."""


@dataclass(frozen=True)
class RunRecord:
    """One run.

    Attributes:
        run_id: its name in ML Metadata and of its folder in logs/.
        pipeline: the pipeline's name.
        state: how far it is.
        started: when, ISO 8601, UTC.
        ended: when, or empty.
        host: machine it runs on.
        pid: process of the runner.
        command: how it was started.
        output_dir: absolute path of the settings' `output_dir`.
        settings: fingerprint of the settings.
        message: first line of what stopped it, or empty.
        purpose: training or inference, as the settings say.
        span: the span of its data; None where the settings name none.
        version: of the span, where the data have versions.
        last: the node that a partial run ends with; empty: it goes to the end of the pipeline.
        trigger: what made the scheduler start it: cron, new_span, drift, age, metric, manual, backfill; empty: nobody
            but a user.
        tick: the time of the schedule that it is for, ISO 8601, UTC; empty where there is none.
        attempt: 1 for a first try, and one more each time that the scheduler tries it again.
        error: class of what stopped it, or empty.
        data: fingerprint of the files that it read; empty before they were found.
        rules: fingerprint of what the settings hold data to.
        release: version of the released model, 0 where there is none.
        reason: why a complete run released no model, or empty.
        orchestrator: who walks the graph, where it is no process of ours that lives as long as the run: kubeflow.
        order: which of the scheduler's orders it carries out, or empty.
    """

    run_id: str
    pipeline: str
    state: State
    started: str
    ended: str = ""
    host: str = ""
    pid: int = 0
    command: str = ""
    output_dir: str = ""
    settings: str = ""
    message: str = ""
    purpose: str = "training"
    span: int | None = None
    version: int | None = None
    last: str = ""
    trigger: str = ""
    tick: str = ""
    attempt: int = 1
    error: str = ""
    data: str = ""
    rules: str = ""
    release: int = 0
    reason: str = ""
    orchestrator: str = ""
    order: str = ""

    def put(self, metadata: Metadata) -> None:
        """Writes the record; `metadata` must be entered."""
        pipeline = context_lib.register_context_if_not_exists(metadata, PIPELINE_CONTEXT_TYPE_NAME, self.pipeline)
        context = context_lib.register_context_if_not_exists(metadata, PIPELINE_RUN_CONTEXT_TYPE_NAME, self.run_id)
        for field in fields(self):
            if field.name not in ("run_id", "pipeline"):
                value = getattr(self, field.name)
                if value is None:
                    continue
                kind = "int_value" if isinstance(value, int) else "string_value"
                setattr(context.custom_properties[field.name], kind, value)
        metadata.store.put_contexts([context])
        # Last, for it makes the run one of the pipeline: a run whose process is killed in between is not half known.
        if not metadata.store.get_parent_contexts_by_context(context.id):
            context_lib.put_parent_context_if_not_exists(metadata, parent_id=pipeline.id, child_id=context.id)

    def end(self, metadata: Metadata, state: State, message: str = "", **facts: Any) -> RunRecord:
        """Writes how the run ended, with other facts about it, and returns that."""
        ended = replace(self, state=state, ended=now(), message=message, **facts)
        ended.put(metadata)
        return ended


def run_records(metadata: Metadata, pipeline: str) -> list[RunRecord]:
    """The runs of a pipeline, newest first; those that something else than our runner made have no start and no host.

    Args:
        metadata: an entered connection.
        pipeline: the pipeline's name.
    """
    store = metadata.store
    parent = store.get_context_by_type_and_name(PIPELINE_CONTEXT_TYPE_NAME, pipeline)
    if parent is None:
        return []
    children = store.get_children_contexts_by_context(parent.id)
    found = [context for context in children if context.type == PIPELINE_RUN_CONTEXT_TYPE_NAME]
    found.sort(key=lambda context: (context.create_time_since_epoch, context.id), reverse=True)
    return [_record(context, pipeline) for context in found]


def run_record(metadata: Metadata, pipeline: str, run_id: str) -> RunRecord:
    """One run of a pipeline, which the store knows.

    Args:
        metadata: an entered connection.
        pipeline: the pipeline's name.
        run_id: the run.
    """
    return _record(metadata.store.get_context_by_type_and_name(PIPELINE_RUN_CONTEXT_TYPE_NAME, run_id), pipeline)


def now() -> str:
    """The time as a record has it."""
    return datetime.now(timezone.utc).isoformat(timespec="seconds")


def _record(context: Any, pipeline: str) -> RunRecord:
    found: dict[str, Any] = {}
    for field in fields(RunRecord):
        if field.name in context.custom_properties:
            value = context.custom_properties[field.name]
            found[field.name] = getattr(value, value.WhichOneof("value"))
    if found.get("state") not in get_args(State):
        found["state"] = "unknown"
    return RunRecord(**{"started": "", **found, "run_id": context.name, "pipeline": pipeline})
