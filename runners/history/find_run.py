"""The run that a user means: its id, the beginning of it, or `latest`."""

from __future__ import annotations

from collections.abc import Sequence

from runners.run_record import RunRecord
from schemas.errors import RunError
from schemas.nearest import nearest

LATEST = "latest"
_SHOWN = 5


def find_run(records: Sequence[RunRecord], name: str, pipeline: str) -> RunRecord:
    """The record that is meant.

    Args:
        records: all runs of the pipeline, newest first.
        name: a run id, a prefix that only one has, or `latest`.
        pipeline: the pipeline's name, for messages.

    Raises:
        RunError: there is none, or more than one.
    """
    if records and name == LATEST:
        return records[0]
    ids = [record.run_id for record in records]
    if name in ids:
        return records[ids.index(name)]
    found = [record for record in records if name and record.run_id.startswith(name)]
    if len(found) == 1:
        return found[0]
    where = f"pipeline {pipeline}"
    if found:
        shown = ", ".join(record.run_id for record in found[:_SHOWN])
        raise RunError("Several runs begin so.", where=where, received=name, fix=f"Give more of the id: {shown}")
    if not records:
        raise RunError(
            "This pipeline has no run yet.", where=where, received=name, fix="scalable-tf run -c FILE makes one."
        )
    near = nearest(name, ids)
    hint = f"Did you mean {near}? " if near else ""
    raise RunError(
        "There is no such run.", where=where, received=name, fix=f"{hint}The last ones: {', '.join(ids[:_SHOWN])}"
    )
