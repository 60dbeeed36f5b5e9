"""What the page of metrics counts of gRPC."""

from __future__ import annotations

import urllib.request

from tensorflow_serving.apis import get_model_metadata_pb2

from tests.integration.grpc_protocol.server import Server
from tests.integration.grpc_protocol.status_code import code_of
from tests.integration.serve_command import SECONDS, port


def test_what_is_counted(running: Server) -> None:
    def counts(*names: str) -> list[str]:
        url = f"http://127.0.0.1:{port(running.command, 'REST')}/monitoring/prometheus/metrics"
        with urllib.request.urlopen(url, timeout=SECONDS) as page:
            lines = page.read().decode().splitlines()
        return [line for line in lines if any(name in line for name in names)]

    spec = {"name": "counted"}
    code_of(lambda: running.predict(**spec))
    code_of(lambda: running.states("counted"))
    request = get_model_metadata_pb2.GetModelMetadataRequest(model_spec=spec, metadata_field=["signature_def"])
    code_of(lambda: running.prediction.GetModelMetadata(request, timeout=SECONDS))
    assert counts('"counted"') == [':tensorflow:serving:request_count{model_name="counted",status="NOT_FOUND"} 1']
    computed = 'runtime_latency_count{model_name="half",API="Predict",runtime="TF1"} '
    (before,) = counts(computed) or ("0",)
    running.predict()
    (after,) = counts(computed)
    assert int(after.rpartition(" ")[2]) == int(before.rpartition(" ")[2]) + 1
