"""The time that a client gives a call."""

from __future__ import annotations

from tests.integration.command_server import CommandServer
from tests.integration.grpc_protocol.models import Models
from tests.integration.grpc_protocol.server import half_request, serving


def test_deadlines_are_the_clients(commands: CommandServer, models: Models) -> None:
    models.release(1)
    options = ("--batching", "--batch-timeout-micros=500000", "--max-batch-size=2")
    with serving(commands, models.option(), *options) as server:
        late = server.prediction.Predict.future(half_request(), timeout=0.05)
        assert late.exception().code().name == "DEADLINE_EXCEEDED"
        # It was part of the batch, and takes nothing from the one that shares it.
        assert server.predict() == (2.0, 1)
