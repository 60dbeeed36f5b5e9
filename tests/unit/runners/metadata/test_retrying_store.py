"""Calls whose answer is lost, before and after the store has carried them out, on a real SQLite store."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from google.protobuf.message import Message
from ml_metadata.errors import AlreadyExistsError, InternalError, StatusError
from ml_metadata.proto import metadata_store_pb2 as mlmd

from runners.metadata.backend import Failure, StoreUnreachableError
from runners.metadata.retrying_store import RetryingStore
from runners.metadata.sqlite import SqliteBackend
from schemas.errors import RunError


class _Backend(SqliteBackend):
    def failure(self, error: StatusError) -> Failure | None:
        return Failure.LOST if "cut off" in str(error) else super().failure(error)


class _Store(RetryingStore):
    """Loses the next `before` requests and then the next `after` answers."""

    before = after = 0

    def _call_method(self, method_name: str, request: Message, response: Message) -> None:
        if self.before:
            self.before -= 1
            raise InternalError("cut off")
        super()._call_method(method_name, request, response)
        if self.after:
            self.after -= 1
            response.Clear()
            raise InternalError("cut off")


@pytest.fixture
def store(tmp_path: Path) -> _Store:
    return _Store(_Backend(tmp_path / "metadata.sqlite"), 60.0)


def _types(store: RetryingStore) -> tuple[int, int, int]:
    return (
        store.put_execution_type(mlmd.ExecutionType(name="Trainer")),
        store.put_artifact_type(mlmd.ArtifactType(name="Model")),
        store.put_context_type(mlmd.ContextType(name="run")),
    )


def _event(kind: Any, key: str = "model") -> mlmd.Event:
    event = mlmd.Event(type=kind)
    event.path.steps.add().key = key
    event.path.steps.add().index = 0
    return event


def _counts(store: RetryingStore) -> dict[str, int]:
    executions = store.get_executions()
    return {
        "executions": len(executions),
        "artifacts": len(store.get_artifacts()),
        "contexts": len(store.get_contexts()),
        "events": len(store.get_events_by_execution_ids([found.id for found in executions])) if executions else 0,
    }


@pytest.mark.parametrize(("before", "after"), [(0, 0), (1, 0), (0, 1), (2, 0), (1, 1)])
def test_a_node_is_registered_and_published_once(store: _Store, before: int, after: int) -> None:
    execution_type, artifact_type, context_type = _types(store)
    given = mlmd.Artifact(id=store.put_artifacts([mlmd.Artifact(type_id=artifact_type, uri="/in")])[0])
    given.type_id, given.uri = artifact_type, "/in"
    context = mlmd.Context(type_id=context_type, name="run 1")
    execution = mlmd.Execution(type_id=execution_type, name="uuid", last_known_state=mlmd.Execution.RUNNING)

    store.before, store.after = before, after
    execution.id, _, _ = store.put_execution(
        execution, [(given, _event(mlmd.Event.INPUT))], [context], reuse_context_if_already_exist=True
    )
    execution.last_known_state = mlmd.Execution.COMPLETE
    store.before, store.after = before, after
    made = mlmd.Artifact(type_id=artifact_type, uri="/out")
    execution_id, artifact_ids, _ = store.put_execution(
        execution, [(made, _event(mlmd.Event.OUTPUT))], [context], reuse_context_if_already_exist=True
    )

    assert _counts(store) == {"executions": 1, "artifacts": 2, "contexts": 1, "events": 2}
    (stored,) = store.get_executions()
    assert (stored.id, stored.last_known_state) == (execution_id, mlmd.Execution.COMPLETE)
    (event,) = [one for one in store.get_events_by_execution_ids([execution_id]) if one.type == mlmd.Event.OUTPUT]
    assert artifact_ids == [event.artifact_id]
    assert [found.uri for found in store.get_artifacts_by_id(artifact_ids)] == ["/out"]


@pytest.mark.parametrize(("before", "after"), [(1, 0), (0, 1)])
def test_cached_outputs_are_published_once(store: _Store, before: int, after: int) -> None:
    execution_type, artifact_type, context_type = _types(store)
    model = mlmd.Artifact(type_id=artifact_type, uri="/out")
    (model.id,) = store.put_artifacts([model])
    execution = mlmd.Execution(type_id=execution_type, name="uuid")
    (execution.id,) = store.put_executions([execution])
    execution.last_known_state = mlmd.Execution.CACHED
    context = mlmd.Context(type_id=context_type, name="run 1")

    store.before, store.after = before, after
    ids = store.put_lineage_subgraph([execution], [model], [context], [(0, 0, _event(mlmd.Event.OUTPUT))], True)

    assert ids == ([execution.id], [model.id], [1])
    assert _counts(store) == {"executions": 1, "artifacts": 1, "contexts": 1, "events": 1}
    assert store.get_executions()[0].last_known_state == mlmd.Execution.CACHED


def test_other_writes_are_made_once(store: _Store) -> None:
    execution_type, artifact_type, context_type = _types(store)

    def after_a_lost_answer(call: Any, *arguments: Any) -> Any:
        store.after = 1
        return call(*arguments)

    (execution,) = after_a_lost_answer(store.put_executions, [mlmd.Execution(type_id=execution_type, name="a")])
    (artifact,) = after_a_lost_answer(store.put_artifacts, [mlmd.Artifact(type_id=artifact_type, name="a")])
    contexts = [mlmd.Context(type_id=context_type, name=name) for name in "ab"]
    parent, child = after_a_lost_answer(store.put_contexts, contexts)
    event = _event(mlmd.Event.OUTPUT)
    event.execution_id, event.artifact_id = execution, artifact
    after_a_lost_answer(store.put_events, [event])
    after_a_lost_answer(store.put_parent_contexts, [mlmd.ParentContext(parent_id=parent, child_id=child)])

    assert _counts(store) == {"executions": 1, "artifacts": 1, "contexts": 2, "events": 1}
    assert [found.id for found in store.get_parent_contexts_by_context(child)] == [parent]


def test_what_is_refused_a_second_time_still_is(store: _Store) -> None:
    _, _, context_type = _types(store)
    context = mlmd.Context(type_id=context_type, name="a")
    store.put_contexts([context])
    with pytest.raises(AlreadyExistsError):
        store.put_contexts([context])


def test_a_write_that_cannot_be_recognised_is_an_error_and_not_made_twice(store: _Store) -> None:
    _, artifact_type, _ = _types(store)
    store.after = 1
    with pytest.raises(RunError, match="nobody can tell whether it was stored"):
        store.put_artifacts([mlmd.Artifact(type_id=artifact_type, uri="/a")])
    assert _counts(store)["artifacts"] == 1


def test_a_store_that_stays_away_is_given_up(tmp_path: Path) -> None:
    store = _Store(_Backend(tmp_path / "metadata.sqlite"), 0.0)
    store.before = 1
    with pytest.raises(StoreUnreachableError, match="tried for 0 seconds") as caught:
        store.get_artifact_types()
    assert caught.value.where == str(tmp_path / "metadata.sqlite")
    assert store.get_artifact_types() == []
