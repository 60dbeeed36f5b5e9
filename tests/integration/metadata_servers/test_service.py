"""`scalable-tf metadata serve` alone: its codes, and its end."""

from __future__ import annotations

import signal

import pytest
from ml_metadata.errors import AlreadyExistsError, NotFoundError, UnimplementedError
from ml_metadata.proto import metadata_store_pb2 as mlmd
from ml_metadata.proto import metadata_store_service_pb2 as messages

from tests.integration.metadata_servers.opened_store import open_store
from tests.integration.servers.metadata_service import Service

pytestmark = pytest.mark.slow


def test_the_service_answers_with_the_codes_of_the_library(metadata_service: Service) -> None:
    with open_store(metadata_service.url) as handle:
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
    with open_store(metadata_service.url) as handle:
        handle.store.put_artifact_type(mlmd.ArtifactType(name="A"))
    assert metadata_service.stop(signal.SIGTERM) == 0
    metadata_service.start()
    with open_store(metadata_service.url) as handle:
        assert [found.name for found in handle.store.get_artifact_types()] == ["A"]
