"""What `scalable-tf serve` says when it cannot start."""

from __future__ import annotations

import socket

from tests.integration.command_server import CommandServer
from tests.integration.grpc_protocol.models import Models


def test_what_is_wrong_at_the_start_is_told(commands: CommandServer, models: Models) -> None:
    models.release(1)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        starts = {
            ("serve",): "There is no model to serve",
            ("serve", "--model=half"): "This names no model",
            ("serve", f"--model=half={models.folder}/missing"): "The folder of the model half is not there",
            ("serve", models.option(), f"--grpc-port={port}"): "The server of gRPC cannot listen there",
            (
                "serve",
                models.option(),
                "--grpc-port=0",
                f"--rest-port={port}",
            ): "The server of REST cannot listen there",
            ("serve", models.option(), "--max-batch-size=4"): "--batching",
            ("serve", models.option(), "--max-batch-size=0"): "--max-batch-size is out of range",
            ("serve", "--model-config=/missing"): "The file of models cannot be read",
        }
        for argv, message in starts.items():
            command = commands.run(list(argv))
            assert command.wait() == 1
            assert message in command.text
            assert "Traceback" not in command.text
            assert "chttp2" not in command.text
