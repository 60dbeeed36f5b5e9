from __future__ import annotations

from ml_metadata.proto import metadata_store_pb2 as mlmd
from ml_metadata.proto import metadata_store_service_pb2 as service

from runners.metadata.backslash import restore_backslashes, without_backslashes


def _request() -> service.PutExecutionRequest:
    request = service.PutExecutionRequest()
    request.execution.properties["a"].string_value = '{"b": "c\\n"}'
    request.execution.custom_properties["d"].int_value = 1
    pair = request.artifact_event_pairs.add()
    pair.artifact.uri = "e\\f"
    pair.event.path.steps.add().key = "g\\"
    request.contexts.add().name = "h"
    return request


def test_backslashes_go_and_come_back() -> None:
    request = _request()
    stored = without_backslashes(request)
    assert b"\\" not in stored.SerializeToString()
    assert stored.execution.properties["a"].string_value == '{"b": "c\ue05cn"}'  # type: ignore[attr-defined]
    assert request == _request()
    restore_backslashes(stored)
    assert stored == request


def test_repeated_texts() -> None:
    request = without_backslashes(service.GetArtifactsByURIRequest(uris=["a", "b\\c"]))
    assert list(request.uris) == ["a", "b\ue05cc"]  # type: ignore[attr-defined]


def test_a_request_without_one_is_left_alone() -> None:
    request = service.PutContextsRequest(contexts=[mlmd.Context(name="a")])
    assert without_backslashes(request) is request
