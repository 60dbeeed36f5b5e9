"""Models that are exchanged: HandleReloadConfigRequest, SIGHUP and a file that is written anew."""

from __future__ import annotations

import signal

from tests.integration.command_server import CommandServer
from tests.integration.grpc_protocol.models import Models
from tests.integration.grpc_protocol.server import serving
from tests.integration.grpc_protocol.status_code import code_of, code_of_or_none
from tests.until import until


def test_a_reload_serves_exactly_the_new_models(commands: CommandServer, models: Models) -> None:
    for version in (1, 2, 3):
        models.release(version)
        models.release(version, "other")
    (models.folder / "models").write_text(
        f'model_config_list {{ config {{ name: "half" base_path: "{models.folder}/half" }} }}'
    )
    options = (f"--model-config={models.folder / 'models'}", "--model-config-poll-seconds=0.05")
    with serving(commands, *options) as server:
        assert server.predict() == (4.0, 3)
        other = f'name: "other" base_path: "{models.folder}/other" model_platform: "tensorflow"'
        policy = "model_version_policy { specific { versions: 1 versions: 2 } }"
        assert server.reload(f"config {{ {other} {policy} }}").status.error_code == 0
        assert server.predict(name="other") == (3.0, 2)
        assert code_of(server.predict)[0] == "NOT_FOUND"
        labels = 'version_labels { key: "stable" value: 1 }'
        (metric,) = server.reload(f"config {{ {other} {policy} {labels} }}", "/some/metric").metric
        assert (metric.name, metric.int64_value_increase) == ("/some/metric", 0)
        assert server.predict(name="other", version_label="stable") == (2.0, 1)
        labels = 'version_labels { key: "stable" value: 3 }'
        code, message = code_of(lambda: server.reload(f"config {{ {other} {policy} {labels} }}"))
        assert code == "FAILED_PRECONDITION"
        assert "label to version 3 of model other" in message
        missing = f'config {{ name: "missing" base_path: "{models.folder}/missing" model_platform: "tensorflow" }}'
        refused = {
            missing: "Could not find base path",
            f"config {{ {other} }} config {{ {other} }}": "Illegal to list model other multiple times",
            f'config {{ name: "other" base_path: "{models.folder}/other" }}': "Illegal setting neither",
        }
        for text, message in refused.items():
            code, found = code_of(lambda text=text: server.reload(text))  # type: ignore[misc]
            assert (code, message in found) == ("INVALID_ARGUMENT", True), found
        assert server.predict(name="other", version_label="stable") == (2.0, 1)
        server.command.signal(signal.SIGHUP)
        until(lambda: code_of_or_none(lambda: server.predict(name="other")) == "NOT_FOUND")
        assert server.predict() == (4.0, 3)
        # Written anew, it is read without a signal.
        (models.folder / "models").write_text(f"model_config_list {{ config {{ {other} }} }}")
        # What is no longer listed is served until the rest is.
        until(lambda: code_of_or_none(server.predict) == "NOT_FOUND")
        assert server.predict(name="other") == (4.0, 3)
