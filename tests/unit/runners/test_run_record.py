from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tfx.orchestration.metadata import Metadata
from tfx.orchestration.portable.mlmd import context_lib

from runners.metadata_store import SqliteMetadata
from runners.run_record import RunRecord, run_records


@pytest.fixture
def metadata(tmp_path: Path) -> Iterator[Metadata]:
    with SqliteMetadata(tmp_path / "metadata.sqlite") as entered:
        yield entered


def record(run_id: str, pipeline: str = "taxi") -> RunRecord:
    return RunRecord(run_id, pipeline, "running", "2026-11-25T10:00:00+00:00", host="here", pid=7, command="run -c x")


def test_a_record_is_read_back_as_it_was_written(metadata: Metadata) -> None:
    record("a").put(metadata)
    assert run_records(metadata, "taxi") == [record("a")]


def test_the_end_of_a_run_replaces_its_state(metadata: Metadata) -> None:
    record("a").put(metadata)
    record("a").end(metadata, "failed", "Trainer: The loss is no longer finite.")
    (found,) = run_records(metadata, "taxi")
    assert (found.state, found.message) == ("failed", "Trainer: The loss is no longer finite.")
    assert found.ended >= found.started
    assert found.pid == 7


def test_a_run_that_is_taken_up_again_has_no_end(metadata: Metadata) -> None:
    record("a").end(metadata, "interrupted", "SIGTERM")
    record("a").put(metadata)
    assert run_records(metadata, "taxi") == [record("a")]


def test_newest_first_and_only_this_pipelines(metadata: Metadata) -> None:
    for run_id, pipeline in (("a", "taxi"), ("b", "adult"), ("c", "taxi")):
        record(run_id, pipeline).put(metadata)
    assert [found.run_id for found in run_records(metadata, "taxi")] == ["c", "a"]
    assert run_records(metadata, "unknown") == []


def test_a_store_whose_first_run_was_killed_between_two_writes_is_readable(metadata: Metadata) -> None:
    context_lib.register_context_if_not_exists(metadata, "pipeline", "taxi")
    assert run_records(metadata, "taxi") == []


def test_a_run_that_something_else_made_is_listed_too(metadata: Metadata) -> None:
    pipeline = context_lib.register_context_if_not_exists(metadata, "pipeline", "taxi")
    context_lib.register_context_if_not_exists(metadata, "pipeline_run", "kubeflow-1", parent_contexts=[pipeline])
    assert run_records(metadata, "taxi") == [RunRecord("kubeflow-1", "taxi", "unknown", "")]
