"""Connections that break between two calls."""

from __future__ import annotations

import signal

import pytest
from ml_metadata.proto import metadata_store_pb2 as mlmd

from runners.metadata.backend import StoreUnreachableError
from tests.integration.metadata_servers.opened_store import open_store
from tests.integration.servers.database_server import Server
from tests.integration.servers.metadata_service import Service

pytestmark = pytest.mark.slow


def test_a_connection_that_is_killed_between_two_calls(server: Server, database: str) -> None:
    with open_store(server.create(database)) as handle:
        handle.store.put_artifact_type(mlmd.ArtifactType(name="A"))
        assert server.drop_connections(database) == 1
        handle.store.put_artifact_type(mlmd.ArtifactType(name="B"))
        assert [found.name for found in handle.store.get_artifact_types()] == ["A", "B"]


def test_a_server_that_is_restarted_between_two_calls(server: Server, database: str) -> None:
    with open_store(server.create(database)) as handle:
        handle.store.put_artifact_type(mlmd.ArtifactType(name="A"))
        server.stop()
        server.start()
        assert [found.name for found in handle.store.get_artifact_types()] == ["A"]


def test_a_service_that_is_killed_and_started_again_between_two_calls(metadata_service: Service) -> None:
    with open_store(metadata_service.url) as handle:
        handle.store.put_artifact_type(mlmd.ArtifactType(name="A"))
        metadata_service.stop(signal.SIGKILL)
        metadata_service.start()
        assert [found.name for found in handle.store.get_artifact_types()] == ["A"]


def test_a_server_that_does_not_come_back(server: Server, database: str) -> None:
    url = server.create(database)
    with open_store(url, "metadata.retry_seconds=0.5") as handle:
        server.stop()
        try:
            with pytest.raises(StoreUnreachableError) as caught:
                handle.store.get_artifact_types()
        finally:
            server.start()
    assert caught.value.what == "The metadata store cannot be reached."
    assert f"ml@127.0.0.1:{server.port}/{database}" in caught.value.where
    assert "tried for 0.5 seconds" in caught.value.fix
