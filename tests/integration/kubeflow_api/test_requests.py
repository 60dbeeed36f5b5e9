"""The list of what the commands ask of the API server; `--update-golden` rewrites it."""

from __future__ import annotations

import json
from itertools import groupby
from pathlib import Path

from runners.kubeflow.specification import Specification
from tests.integration.command_server import CommandServer
from tests.integration.kubeflow_api.api_state import Call, KubeflowApi

GOLDEN = Path(__file__).parents[2] / "golden/kubeflow/api_requests.txt"
_HEAD = """\
What each command asks of KFP's API server, in order; what is asked again at once, as while a run is waited
for, stands once.
Behind a path: the parameters of the query. In brackets: what the body was checked against, models of kfp-server-api, of
which every field, type and enum counts, or the protos of kfp-pipeline-spec.
Written by tests/integration/kubeflow_api/test_requests.py --update-golden.
"""


def test_what_each_command_asks_of_the_server(
    commands: CommandServer, server: KubeflowApi, specification: Specification, update_golden: bool
) -> None:
    shown = [_HEAD]

    def ask(line: str, code: int = 0, **words: str) -> str:
        server.calls.clear()
        argv = [words.get(word, word) for word in line.split()]
        command = commands.run(["kubeflow", *argv, "--host", server.url])
        assert command.wait() == code, command.text
        asked = "".join(f"    {text(call)}\n" for call, _ in groupby(server.calls))
        shown.append(f"scalable-tf kubeflow {line}\n{asked}")
        return command.stdout.read_text()

    file = {"PIPELINE.yaml": str(specification.file), "NAME": "nightly"}
    ask("submit PIPELINE.yaml --wait --poll 0.05 --parameter steps=5", **file)
    run = {"ID": json.loads(ask("submit PIPELINE.yaml --json", **file))["run_id"], "NAME": specification.name}
    ask("runs list", **run)
    ask("runs list --experiment NAME", **run)
    ask("runs show ID", **run)
    ask("runs logs ID", 1, **run)  # the test server has none: the way to them is told
    ask("runs terminate ID", **run)
    ask("runs wait ID --poll 0.05", 1, **run)
    ask("schedule create PIPELINE.yaml --name NAME --every 12h", **file)
    ask("schedule create PIPELINE.yaml --name NAME --every 6h --replace", **file)
    for action in ("list", "show NAME", "disable NAME", "enable NAME", "delete NAME"):
        ask(f"schedule {action}", **file)

    found = "\n".join(shown)
    if update_golden:
        GOLDEN.write_text(found, encoding="utf-8")
    assert found == GOLDEN.read_text(encoding="utf-8"), (
        f"the requests have changed; if they were meant to: pytest {Path(__file__).name} --update-golden"
    )


def text(call: Call) -> str:
    """One line."""
    query = f"?{'&'.join(call.query)}" if call.query else ""
    models = f" [{', '.join(call.models)}]" if call.models else ""
    return f"{call.method} {call.path}{query}{models}"
