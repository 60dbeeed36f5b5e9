from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tfx.orchestration.portable.input_resolution import channel_resolver
from tfx.proto.orchestration import pipeline_pb2

from runners.bounded_lookup import bounded_lookup
from tests.unit.runners.counting_store import CountingStore
from tests.unit.runners.made_history import MadeHistory

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> MadeHistory:
    """Two runs of one pipeline and one of another."""
    made = MadeHistory(Path(tmp_path_factory.mktemp("made")))
    for run in ("1", "2"):
        examples = made.ingest(run)
        made.train(run, examples)
    MadeHistory(made.folder, pipeline="other").ingest("3")
    return made


def channel(kind: str, *contexts: tuple[str, str], key: str = "") -> Any:
    found = pipeline_pb2.InputSpec.Channel(output_key=key)
    found.artifact_query.type.name = kind
    for of, name in contexts:
        query = found.context_queries.add()
        query.type.name = of
        query.name.field_value.string_value = name
    return found


PIPELINE, RUN, NODE = ("pipeline", "trips"), ("pipeline_run", "2"), ("node", "trips.ExampleGen")


@pytest.mark.parametrize(
    ("asked", "uris"),
    [
        (channel("Examples", PIPELINE, RUN, NODE, key="examples"), ["ExampleGen/examples/4"]),
        (channel("Examples", PIPELINE, NODE), ["ExampleGen/examples/1", "ExampleGen/examples/4"]),
        (channel("Model", PIPELINE), ["Trainer/model/2", "Trainer/model/5"]),
        (channel("Examples", PIPELINE, RUN, NODE, key="other"), []),
        (channel("Schema", PIPELINE), []),
        (channel("Model", PIPELINE, RUN, NODE, key="examples"), []),
        (channel("Examples", PIPELINE, ("node", "trips.Nobody")), []),
    ],
    ids=["of a run", "of a node", "of anyone", "another key", "another type", "of another type", "nobody's"],
)
def test_what_tfx_finds_is_found(asked: Any, uris: list[str], made: MadeHistory) -> None:
    with made.metadata as metadata:
        with bounded_lookup():
            found = channel_resolver.resolve_single_channel(metadata, asked)
        expected = channel_resolver.resolve_single_channel(metadata, asked)
    artifacts = made.output_dir / "artifacts"
    assert [Path(one.uri).relative_to(artifacts).as_posix() for one in found] == uris
    assert [one.id for one in found] == sorted(one.id for one in expected)
    assert [one.type_name for one in found] == [one.type_name for one in expected]


def test_only_the_executions_that_are_asked_for_are_read(made: MadeHistory, monkeypatch: pytest.MonkeyPatch) -> None:
    store = CountingStore(made.store)
    handle = type("Handle", (), {"store": store})()
    monkeypatch.setattr("tfx.orchestration.mlmd_connection_manager.get_handle", lambda _: handle)
    with bounded_lookup():
        channel_resolver.resolve_single_channel(handle, channel("Examples", PIPELINE, RUN, NODE, key="examples"))
    # Those of the run, of five that the pipeline had.
    assert store.given["executions"] == 3
