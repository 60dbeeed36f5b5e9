"""GetModelMetadata."""

from __future__ import annotations

from typing import Any

from tensorflow_serving.apis import get_model_metadata_pb2

from tests.integration.grpc_protocol.server import Server
from tests.integration.grpc_protocol.status_code import code_of
from tests.integration.serve_command import SECONDS


def test_metadata_are_the_signatures(running: Server) -> None:
    def ask(*fields: str, **spec: Any) -> get_model_metadata_pb2.GetModelMetadataResponse:
        request = get_model_metadata_pb2.GetModelMetadataRequest(
            model_spec={"name": "half"} | spec, metadata_field=fields
        )
        return running.prediction.GetModelMetadata(request, timeout=SECONDS)

    response = ask("signature_def")
    assert (response.model_spec.name, response.model_spec.version.value) == ("half", 3)
    signatures = get_model_metadata_pb2.SignatureDefMap()
    assert response.metadata["signature_def"].Unpack(signatures)
    assert signatures.signature_def["regress_x_to_y"].method_name == "tensorflow/serving/regress"
    assert signatures.signature_def["serving_default"].inputs["x"].tensor_shape.dim[1].size == 1
    assert code_of(ask)[0] == "INVALID_ARGUMENT"
    assert code_of(lambda: ask("signature_def", "other"))[0] == "INVALID_ARGUMENT"
    assert code_of(lambda: ask("signature_def", name="other"))[0] == "NOT_FOUND"
