"""What nodes write into a store, also through a bad network and several at once."""

from __future__ import annotations

import contextlib
import multiprocessing
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from ml_metadata.proto import metadata_store_pb2 as mlmd
from tfx.orchestration.portable import execution_publish_utils
from tfx.orchestration.portable.mlmd import context_lib
from tfx.types.standard_artifacts import Examples

from configs.settings import Settings
from runners.metadata_store import StoreMetadata, metadata_connection
from tests.integration import lossy_proxy
from tests.integration.metadata_servers.opened_store import open_store, settings_of
from tests.integration.servers.database_server import Server
from tests.integration.servers.metadata_service import Service

pytestmark = pytest.mark.slow


def _node(connection: StoreMetadata, name: str, inputs: dict[str, list[Any]] | None) -> dict[str, list[Any]]:
    """What TFX's launcher does for a node that runs, for one from the cache, and for one that fails."""
    kind = mlmd.ExecutionType(name=name)
    with connection as handle:
        contexts = [
            context_lib.register_context_if_not_exists(handle, "pipeline", "taxi"),
            context_lib.register_context_if_not_exists(handle, "node", f"taxi.{name}"),
        ]
        run = execution_publish_utils.register_execution(handle, kind, contexts, inputs, {"n": 1})
    artifact = Examples()
    artifact.uri = f"/artifacts/{name}"
    with connection as handle:
        outputs, _ = execution_publish_utils.publish_succeeded_execution(
            handle, run.id, contexts, {"examples": [artifact]}
        )
    with connection as handle:
        cached = execution_publish_utils.register_execution(handle, kind, contexts, inputs, {"n": 1})
        execution_publish_utils.publish_cached_executions(handle, contexts, [cached], [outputs])
    with connection as handle:
        failed = execution_publish_utils.register_execution(handle, kind, contexts, inputs, {"n": 1})
        execution_publish_utils.publish_failed_execution(handle, contexts, failed.id)
    return dict(outputs)


def _content(connection: StoreMetadata) -> dict[str, Any]:
    """All that two nodes, A and then B, leave in a store."""
    states, kinds = mlmd.Execution.State.Name, mlmd.Event.Type.Name
    content: dict[str, Any] = {}
    with connection as handle:
        artifacts = {found.id: found for found in handle.store.get_artifacts()}
        content["artifacts"] = sorted((found.uri, found.state) for found in artifacts.values())
        for name in "AB":
            executions = sorted(handle.store.get_executions_by_type(name), key=lambda found: found.id)
            content[name] = [
                (
                    states(execution.last_known_state),
                    sorted(
                        (kinds(event.type), artifacts[event.artifact_id].uri)
                        for event in handle.store.get_events_by_execution_ids([execution.id])
                    ),
                )
                for execution in executions
            ]
        content["contexts"] = sorted(
            (found.name, len(handle.store.get_executions_by_context(found.id))) for found in handle.store.get_contexts()
        )
    return content


_A, _B = "/artifacts/A", "/artifacts/B"
EXPECTED = {
    "artifacts": [(_A, mlmd.Artifact.LIVE), (_B, mlmd.Artifact.LIVE)],
    "A": [("COMPLETE", [("OUTPUT", _A)]), ("CACHED", [("OUTPUT", _A)]), ("FAILED", [])],
    "B": [
        ("COMPLETE", [("INPUT", _A), ("OUTPUT", _B)]),
        ("CACHED", [("INPUT", _A), ("OUTPUT", _B)]),
        ("FAILED", [("INPUT", _A)]),
    ],
    "contexts": [("taxi", 6), ("taxi.A", 3), ("taxi.B", 3)],
}


def test_two_nodes(server: Server, database: str) -> None:
    connection = open_store(server.create(database))
    _node(connection, "B", _node(connection, "A", None))
    assert _content(connection) == EXPECTED


def test_texts_come_back_as_they_were(server: Server, database: str) -> None:
    text = '{"a": "b\\n"} \'c\' %s ${d} \\'
    with open_store(server.create(database)) as handle:
        kind = handle.store.put_artifact_type(mlmd.ArtifactType(name="A"))
        artifact = mlmd.Artifact(type_id=kind, uri=text, name=text)
        artifact.custom_properties["a"].string_value = text
        handle.store.put_artifacts([artifact])
        (found,) = handle.store.get_artifacts_by_uri(text)
    assert (found.uri, found.name, found.custom_properties["a"].string_value) == (text, text, text)


def test_two_nodes_through_the_service(metadata_service: Service) -> None:
    connection = open_store(metadata_service.url)
    _node(connection, "B", _node(connection, "A", None))
    assert _content(connection) == EXPECTED


@pytest.mark.parametrize("seed", [1, 2])
def test_commits_that_are_lost_in_the_network(server: Server, database: str, seed: int) -> None:
    url = server.create(f"{database}{seed}")
    with _lossy(server.port, seed) as (port, lost):
        connection = open_store(url.replace(f":{server.port}/", f":{port}/"))
        _node(connection, "B", _node(connection, "A", None))
    assert {"request\n", "answer\n"} <= set(lost)
    assert _content(open_store(url)) == EXPECTED


@contextlib.contextmanager
def _lossy(port: int, seed: int) -> Iterator[tuple[int, list[str]]]:
    lost: list[str] = []
    command = [sys.executable, lossy_proxy.__file__, str(port), str(seed)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as proxy:
        if proxy.stdout is None:
            raise AssertionError("it is a pipe")
        try:
            yield int(proxy.stdout.readline()), lost
        finally:
            proxy.kill()
        lost += proxy.stdout.readlines()


def _first_use(settings: Settings, start: Any, results: Any) -> None:
    start.wait()
    try:
        with metadata_connection(settings) as handle:
            handle.store.put_artifact_type(mlmd.ArtifactType(name="A"))
        results.put("")
    except BaseException as error:
        results.put(repr(error))


def test_three_processes_make_the_tables_of_an_empty_database_at_once(server: Server, database: str) -> None:
    settings = settings_of(server.create(database))
    context = multiprocessing.get_context("fork")
    start, results = context.Barrier(3), context.Queue()
    processes = [context.Process(target=_first_use, args=(settings, start, results)) for _ in range(3)]
    for process in processes:
        process.start()
    assert [results.get() for _ in processes] == ["", "", ""]
    for process in processes:
        process.join()
    with metadata_connection(settings) as handle:
        assert [found.name for found in handle.store.get_artifact_types()] == ["A"]
