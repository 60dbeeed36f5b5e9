"""GetModelStatus."""

from __future__ import annotations

from tensorflow_serving.apis import get_model_status_pb2

from tests.integration.grpc_protocol.server import Server
from tests.integration.grpc_protocol.status_code import code_of
from tests.integration.serve_command import SECONDS


def test_status_is_of_all_versions_or_of_one(running: Server) -> None:
    assert running.states() == {3: "AVAILABLE"}
    request = get_model_status_pb2.GetModelStatusRequest(model_spec={"name": "half", "version": {"value": 3}})
    (one,) = running.models.GetModelStatus(request, timeout=SECONDS).model_version_status
    assert one.HasField("status")
    assert one.status.error_code == 0
    request.model_spec.version.value = 9
    assert code_of(lambda: running.models.GetModelStatus(request, timeout=SECONDS)) == (
        "NOT_FOUND",
        "Could not find version 9 of model half",
    )
    assert code_of(lambda: running.states("other"))[0] == "NOT_FOUND"
