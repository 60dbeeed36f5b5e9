"""Metadata stores in real servers: MariaDB, PostgreSQL and `scalable-tf metadata serve`."""

from __future__ import annotations

import contextlib
import json
import logging
import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from absl import logging as absl_logging
from ml_metadata.errors import AlreadyExistsError, NotFoundError, UnimplementedError
from ml_metadata.proto import metadata_store_pb2 as mlmd
from ml_metadata.proto import metadata_store_service_pb2 as messages
from tfx.orchestration.portable import execution_publish_utils
from tfx.orchestration.portable.mlmd import context_lib
from tfx.types.standard_artifacts import Examples

from configs.load import load_settings
from configs.settings import Settings
from runners.metadata.backend import StoreUnreachableError
from runners.metadata.store_backend import store_backend
from runners.metadata_store import StoreMetadata, metadata_connection
from runners.store_lock import store_lock
from schemas.errors import RunError, SettingsError
from tests.integration import lossy_proxy
from tests.integration.servers import PASSWORD, PASSWORD_VARIABLE, ROOT, Server, Service

pytestmark = pytest.mark.slow
KINDS = ("mysql", "postgres")


@pytest.fixture(autouse=True)
def _password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PASSWORD_VARIABLE, PASSWORD)


@pytest.fixture(params=KINDS)
def server(request: pytest.FixtureRequest) -> Server:
    """Each of the database servers."""
    found: Server = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def database(request: pytest.FixtureRequest) -> str:
    """A name that no other test has."""
    return request.node.name.split("[")[0][-40:].strip("_")


def _settings(url: str, *overrides: str, name: str = "taxi") -> Settings:
    taxi = ROOT / "configs" / "taxi.yaml"
    return load_settings([taxi], [f"name={name}", f"metadata.url={url}", *overrides], os.environ)


def _connection(url: str, *overrides: str) -> StoreMetadata:
    return metadata_connection(_settings(url, *overrides))


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
    connection = _connection(server.create(database))
    _node(connection, "B", _node(connection, "A", None))
    assert _content(connection) == EXPECTED


def test_texts_come_back_as_they_were(server: Server, database: str) -> None:
    text = '{"a": "b\\n"} \'c\' %s ${d} \\'
    with _connection(server.create(database)) as handle:
        kind = handle.store.put_artifact_type(mlmd.ArtifactType(name="A"))
        artifact = mlmd.Artifact(type_id=kind, uri=text, name=text)
        artifact.custom_properties["a"].string_value = text
        handle.store.put_artifacts([artifact])
        (found,) = handle.store.get_artifacts_by_uri(text)
    assert (found.uri, found.name, found.custom_properties["a"].string_value) == (text, text, text)


def test_two_nodes_through_the_service(metadata_service: Service) -> None:
    connection = _connection(metadata_service.url)
    _node(connection, "B", _node(connection, "A", None))
    assert _content(connection) == EXPECTED


@pytest.mark.parametrize("seed", [1, 2])
def test_commits_that_are_lost_in_the_network(server: Server, database: str, seed: int) -> None:
    url = server.create(f"{database}{seed}")
    with _lossy(server.port, seed) as (port, lost):
        connection = _connection(url.replace(f":{server.port}/", f":{port}/"))
        _node(connection, "B", _node(connection, "A", None))
    assert {"request\n", "answer\n"} <= set(lost)
    assert _content(_connection(url)) == EXPECTED


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


def test_a_connection_that_is_killed_between_two_calls(server: Server, database: str) -> None:
    with _connection(server.create(database)) as handle:
        handle.store.put_artifact_type(mlmd.ArtifactType(name="A"))
        assert server.drop_connections(database) == 1
        handle.store.put_artifact_type(mlmd.ArtifactType(name="B"))
        assert [found.name for found in handle.store.get_artifact_types()] == ["A", "B"]


def test_a_server_that_is_restarted_between_two_calls(server: Server, database: str) -> None:
    with _connection(server.create(database)) as handle:
        handle.store.put_artifact_type(mlmd.ArtifactType(name="A"))
        server.stop()
        server.start()
        assert [found.name for found in handle.store.get_artifact_types()] == ["A"]


def test_a_service_that_is_killed_and_started_again_between_two_calls(metadata_service: Service) -> None:
    with _connection(metadata_service.url) as handle:
        handle.store.put_artifact_type(mlmd.ArtifactType(name="A"))
        metadata_service.stop(signal.SIGKILL)
        metadata_service.start()
        assert [found.name for found in handle.store.get_artifact_types()] == ["A"]


def test_a_server_that_does_not_come_back(server: Server, database: str) -> None:
    url = server.create(database)
    with _connection(url, "metadata.retry_seconds=0.5") as handle:
        server.stop()
        try:
            with pytest.raises(StoreUnreachableError) as caught:
                handle.store.get_artifact_types()
        finally:
            server.start()
    assert caught.value.what == "The metadata store cannot be reached."
    assert f"ml@127.0.0.1:{server.port}/{database}" in caught.value.where
    assert "tried for 0.5 seconds" in caught.value.fix


def _first_use(settings: Settings, start: Any, results: Any) -> None:
    start.wait()
    try:
        with metadata_connection(settings) as handle:
            handle.store.put_artifact_type(mlmd.ArtifactType(name="A"))
        results.put("")
    except BaseException as error:
        results.put(repr(error))


def test_three_processes_make_the_tables_of_an_empty_database_at_once(server: Server, database: str) -> None:
    settings = _settings(server.create(database))
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


def _error(url: str) -> RunError:
    with pytest.raises(RunError) as caught, _connection(url, "metadata.retry_seconds=1000"):
        pass
    assert not isinstance(caught.value, StoreUnreachableError)
    assert PASSWORD not in str(caught.value)
    return caught.value


def test_a_wrong_password_is_an_error_at_once(server: Server, database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    url = server.create(database)
    monkeypatch.setenv(PASSWORD_VARIABLE, "hunter2")
    error = _error(url)
    assert error.what == "The metadata store refuses the user or the password."
    assert f"the variable {PASSWORD_VARIABLE}" in error.fix
    assert "hunter2" not in str(error)


def test_a_database_that_is_missing_is_an_error_at_once_and_is_not_made(server: Server, database: str) -> None:
    url = server.create(database).replace(f"/{database}", "/nowhere")
    assert _error(url).what == "The database of the metadata store does not exist."
    assert "nowhere" in _error(url).fix


def test_a_password_from_a_file(server: Server, database: str, tmp_path: Path) -> None:
    file = tmp_path / "password"
    url = server.create(database).replace(f":${{{PASSWORD_VARIABLE}}}", "") + f"?password_file={file}"
    with pytest.raises(SettingsError, match="password file of a database cannot be read") as caught:
        _connection(url)
    assert caught.value.received == f"{file}: No such file or directory"
    file.write_text("hunter2\n")
    assert f"the file {file}" in _error(url).fix
    file.write_text(PASSWORD + "\n")
    with _connection(url) as handle:
        assert handle.store.get_artifact_types() == []


def test_the_password_is_not_logged(
    server: Server, database: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = server.create(database)
    monkeypatch.setattr(absl_logging.get_absl_logger(), "filters", [])  # as before the first store was opened
    before = absl_logging.get_verbosity()
    absl_logging.set_verbosity(logging.INFO)  # 20, which to absl is more than DEBUG
    with caplog.at_level(logging.NOTSET), store_lock(_settings(url), "me"), _connection(url):
        pass
    absl_logging.set_verbosity(before)
    assert "MetadataStore with DB connection initialized" in caplog.messages
    assert PASSWORD not in caplog.text


def test_a_percent_encoded_password(server: Server, database: str) -> None:
    url = server.create(database).replace(f"${{{PASSWORD_VARIABLE}}}", "s%25c%2Fr%40t%3A%201")
    with _connection(url) as handle:
        assert handle.store.get_artifact_types() == []


def test_tls_to_mysql_is_used_and_a_wrong_file_is_an_error(mysql: Any, database: str) -> None:
    url = mysql.create(database)
    user = mysql.create_tls_user()
    encrypted = url.replace("//ml:", f"//{user}:")
    with _connection(f"{encrypted}?ssl_ca={mysql.tls.certificate}") as handle:
        assert handle.store.get_artifact_types() == []
    assert _error(encrypted).what == "The metadata store refuses the user or the password."
    assert _error(f"{encrypted}?ssl_ca=/nowhere.pem").what == "TLS to the metadata store failed."


def test_tls_to_postgresql_says_what_the_library_cannot(postgres: Any, database: str) -> None:
    url = f"{postgres.create(database)}?sslmode=verify-full&sslrootcert="
    without = "ML Metadata's library was built without TLS for PostgreSQL."
    assert _error(url + str(postgres.tls.certificate)).what == without
    assert _error(url + "/nowhere.pem").what == "TLS to the metadata store failed."


_RUN = """
import sys, time
from configs.settings import Settings
from runners.store_lock import store_lock
with store_lock(Settings.model_validate_json(sys.argv[1]), "run 7 on host, process 42"):
    print("held", flush=True)
    sys.stdin.read()
"""


@contextlib.contextmanager
def _held_elsewhere(settings: Settings) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", _RUN, json.dumps(settings.dump())]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        if process.stdout is None:
            raise AssertionError("it is a pipe")
        assert process.stdout.readline() == "held\n"
        try:
            yield process
        finally:
            process.kill()


def _check_lock(url: str, holder: str) -> None:
    settings = _settings(url)
    with _held_elsewhere(settings) as process:
        with pytest.raises(RunError) as caught, store_lock(settings, "me"):
            pass
        assert caught.value.what == "Another run of this pipeline is using this metadata store."
        assert holder in str(caught.value.received)
        with store_lock(_settings(url, name="another"), "me"):
            pass
        process.kill()
        process.wait()
        settings = _settings(url, "metadata.retry_seconds=60")
    while True:  # until the server has noticed
        with contextlib.suppress(RunError), store_lock(settings, "me"):
            break


def test_a_lock_in_mysql_dies_with_its_holder(mysql: Server, database: str) -> None:
    _check_lock(mysql.create(database), "connection ")


def test_a_lock_in_postgresql_dies_with_its_holder(postgres: Server, database: str) -> None:
    _check_lock(postgres.create(database), "run 7 on host, process 42 (from 127.0.0.1")


def test_a_lock_of_a_service_dies_with_its_holder(metadata_service: Service) -> None:
    _check_lock(metadata_service.url, "run 7 on host, process 42")


def test_a_lock_of_sqlite_dies_with_its_holder(tmp_path: Path) -> None:
    _check_lock(f"sqlite:///{tmp_path}/a.sqlite", "run 7 on host, process 42")


def test_a_run_goes_on_when_the_connection_of_its_lock_breaks(
    server: Server, database: str, caplog: pytest.LogCaptureFixture
) -> None:
    with store_lock(_settings(server.create(database)), "me"):
        server.stop()
        server.start()
    assert [record.message for record in caplog.records if "was lost during the run" in record.message]


@pytest.fixture
def cut_off(server: Server, database: str, monkeypatch: pytest.MonkeyPatch) -> tuple[str, list[int]]:
    """A store whose server breaks the next connection, after it is there; how many it broke each time."""
    url = server.create(database)
    backend: Any = type(store_backend(_settings(url)))
    connect, broken = backend.connect, []

    def connect_and_break(self: Any, program_name: str = "") -> Any:
        connection = connect(self, program_name)
        if not broken:
            broken.append(server.drop_connections(database))
        return connection

    monkeypatch.setattr(backend, "connect", connect_and_break)
    return url, broken


def test_a_connection_that_breaks_before_the_lock_is_held(cut_off: tuple[str, list[int]]) -> None:
    url, broken = cut_off
    with store_lock(_settings(url), ""):  # the name that `drop_connections` looks for
        assert broken == [1]


def test_a_lock_whose_connection_does_not_come_back(cut_off: tuple[str, list[int]], server: Server) -> None:
    url, broken = cut_off
    with pytest.raises(StoreUnreachableError) as caught, store_lock(_settings(url, "metadata.retry_seconds=0"), ""):
        pass
    assert broken == [1]
    assert f"ml@127.0.0.1:{server.port}/" in caught.value.where
    assert caught.value.fix.startswith("Keep the server up")


def test_the_service_answers_with_the_codes_of_the_library(metadata_service: Service) -> None:
    with _connection(metadata_service.url) as handle:
        store = handle.store
        assert store.get_context_by_type_and_name("a", "b") is None
        with pytest.raises(NotFoundError):
            store.get_artifact_type("missing")
        context_type = store.put_context_type(mlmd.ContextType(name="C"))
        parent, child = store.put_contexts([mlmd.Context(type_id=context_type, name=name) for name in "ab"])
        store.put_parent_contexts([mlmd.ParentContext(parent_id=parent, child_id=child)])
        with pytest.raises(AlreadyExistsError):
            store.put_contexts([mlmd.Context(type_id=context_type, name="a")])
        response = messages.GetParentContextsByContextsResponse()
        request = messages.GetParentContextsByContextsRequest(context_ids=[parent, child])
        store._call("GetParentContextsByContexts", request, response)
        assert {key: [one.id for one in found.parent_contexts] for key, found in response.contexts.items()} == {
            child: [parent]
        }
        with pytest.raises(UnimplementedError, match="GetLineageSubgraph"):
            store._call("GetLineageGraph", messages.GetLineageGraphRequest(), messages.GetLineageGraphResponse())


def test_the_service_ends_in_order(metadata_service: Service) -> None:
    with _connection(metadata_service.url) as handle:
        handle.store.put_artifact_type(mlmd.ArtifactType(name="A"))
    assert metadata_service.stop(signal.SIGTERM) == 0
    metadata_service.start()
    with _connection(metadata_service.url) as handle:
        assert [found.name for found in handle.store.get_artifact_types()] == ["A"]
