"""What has become of each span so far, by the records of the runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from typing import Literal

from pipeline import nodes
from runners.run_record import RunRecord

Progress = Literal["trained", "ingested", "running", "interrupted", "refused", "failed"]

_TO_THE_END = ("", nodes.PUSHER)
_BETWEEN = (
    *(nodes.SPAN_WINDOW, nodes.TRANSFORM, nodes.BASE_MODEL, nodes.TRAINER, nodes.LATEST_BLESSED, nodes.EVALUATOR),
    nodes.SMOKE_CHECK,
)
_PAST_THE_GATE = (nodes.ANOMALY_GATE, *_BETWEEN)
_AFTER_THE_GATE = (*_BETWEEN, nodes.PUSHER)
_REFUSALS = ("DataError", "AnomalyError", "SchemaError")


@dataclass(frozen=True)
class SpanHistory:
    """One span.

    Attributes:
        last: the newest run of it.
        progress: how far that, or one before it, got.
        trained: the newest complete run of the whole pipeline on it, or None.
        ingested: whether a run has ingested its data, and validation passed them, whatever came after that.
        changed: of one that was refused or failed, whether data, rules or settings are others now.
        offset: of the clock that is gone by from the one that runs go by.
    """

    last: RunRecord
    progress: Progress
    trained: RunRecord | None = None
    ingested: bool = False
    changed: bool = False
    offset: timedelta = timedelta()

    @property
    def ended(self) -> datetime:
        """When the newest run ended."""
        return self.end_of(self.last)

    def end_of(self, run: RunRecord) -> datetime:
        """When a run of it ended, or, if it has not, began."""
        return datetime.fromisoformat(run.ended or run.started).astimezone(timezone.utc) + self.offset


def span_histories(
    records: Sequence[RunRecord],
    states: Mapping[str, str],
    is_changed: Callable[[RunRecord], bool],
    offset: timedelta = timedelta(),
) -> dict[int, SpanHistory]:
    """The histories by span.

    Args:
        records: all runs of the pipeline in this output_dir, newest first.
        states: the state of each, by its id; `died` is one that was killed.
        is_changed: whether what a refused or failed run was made of is other now; asked for the newest of a span only.
        offset: of the clock that is gone by from the one that runs go by.
    """
    by_span: dict[int, list[RunRecord]] = {}
    for record in records:
        # A user's run of a few nodes says nothing about the span.
        is_of_span = record.purpose == "training" and record.last in (*_TO_THE_END, *_PAST_THE_GATE)
        if record.span is not None and is_of_span and states[record.run_id] != "unknown":
            by_span.setdefault(record.span, []).append(record)
    return {span: replace(_history(runs, states, is_changed), offset=offset) for span, runs in by_span.items()}


def own_run(run: RunRecord) -> str:
    """The id by which a run is gone on with; empty for one that an orchestrator owns: a new one takes its place."""
    return "" if run.orchestrator else run.run_id


def _failed_after_the_gate(run: RunRecord) -> bool:
    return run.message.partition(":")[0] in _AFTER_THE_GATE  # the message begins with the node


def _history(
    runs: Sequence[RunRecord], states: Mapping[str, str], is_changed: Callable[[RunRecord], bool]
) -> SpanHistory:
    complete = [run for run in runs if states[run.run_id] == "complete"]
    trained = next((run for run in complete if run.last in _TO_THE_END), None)
    ingested = bool(complete) or any(_failed_after_the_gate(run) for run in runs if states[run.run_id] == "failed")
    last = runs[0]
    state = states[last.run_id]
    progress: Progress
    if state == "running":
        progress = "running"
    elif trained is not None:
        progress = "trained"
    elif state in ("interrupted", "died") and own_run(last):
        progress = "interrupted"
    elif state in ("failed", "interrupted", "died"):
        # What SpanWindow says is of other spans: the data of this one have passed.
        is_refused = last.error in _REFUSALS and bool(last.data) and not _failed_after_the_gate(last)
        progress = "refused" if is_refused else "failed"
    else:
        progress = "ingested" if ingested else "failed"
    changed = progress in ("refused", "failed") and is_changed(last)
    return SpanHistory(last, progress, trained, ingested, changed)
