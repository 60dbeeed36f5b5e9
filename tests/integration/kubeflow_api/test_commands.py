"""submit, schedule and runs, as a user calls them."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from runners.kubeflow.specification import Specification
from tests.integration.command_server import CommandServer
from tests.integration.kubeflow_api.api_state import KubeflowApi
from tests.integration.kubeflow_api.fault import Fault

TOKEN = "a-token-that-nobody-may-see"


def connection(server: KubeflowApi, tmp_path: Path) -> list[str]:
    server.token = TOKEN
    file = tmp_path / "token"
    file.write_text(TOKEN)
    return ["--host", f"{server.url}/", "--existing-token-file", str(file)]


def test_submit_uploads_once_runs_and_waits(
    commands: CommandServer, server: KubeflowApi, specification: Specification, tmp_path: Path
) -> None:
    file = str(specification.file)
    waited = ["--wait", "--poll", "0.01", "--parameter", "steps=5"]

    first = commands.run(["kubeflow", "submit", file, *waited, *connection(server, tmp_path)])
    assert first.wait() == 0, first.text
    (run,) = server.runs.values()
    server.outcome = "FAILED"
    second = commands.run(["kubeflow", "submit", file, *waited, *connection(server, tmp_path)])

    assert second.wait() == 1
    assert f"Run {run['run_id']}" in first.text
    assert run["runtime_config"]["parameters"] == {"steps": 5}
    lines = first.stdout.read_text().splitlines()
    assert [line for line in lines if line.startswith("greet ")][:2] == ["greet running", "greet succeeded"]
    assert "greet failed" in second.text
    assert "already there" in second.text
    assert server.count("POST .*upload_version") == 1
    assert TOKEN not in first.text + second.text


def test_a_schedule_is_made_held_and_deleted(
    commands: CommandServer, server: KubeflowApi, specification: Specification, tmp_path: Path
) -> None:
    there = connection(server, tmp_path)
    create = ["kubeflow", "schedule", "create", str(specification.file), "--name", "nightly", "--cron", "0 3 * * *"]

    made = commands.run([*create, *there])
    again = commands.run([*create, *there])
    held = commands.run(["kubeflow", "schedule", "disable", "nightly", *there])
    listed = commands.run(["kubeflow", "schedule", "list", "--json", *there])
    (one,) = json.loads(listed.stdout.read_text())
    deleted = commands.run(["kubeflow", "schedule", "delete", one["recurring_run_id"], *there])

    assert [made.wait(), again.wait(), held.wait(), deleted.wait()] == [0, 0, 0, 0], made.text + again.text + held.text
    assert "Next runs (UTC): " in made.text
    assert "there already, unchanged" in again.text
    assert (one["enabled"], one["schedule"]["cron"], one["max_concurrency"], one["catch_up"]) == (
        False,
        "0 0 3 * * *",
        1,
        False,
    )
    assert server.recurring == {}
    assert server.count("POST .*/recurringruns$") == 1


def test_runs_are_listed_shown_and_ended(
    commands: CommandServer, server: KubeflowApi, specification: Specification, tmp_path: Path
) -> None:
    there = connection(server, tmp_path)
    started = commands.run(["kubeflow", "submit", str(specification.file), "--json", *there])
    run_id = json.loads(started.stdout.read_text())["run_id"]

    listed = commands.run(["kubeflow", "runs", "list", "--experiment", specification.name, *there])
    ended = commands.run(["kubeflow", "runs", "terminate", run_id, *there])
    waited = commands.run(["kubeflow", "runs", "wait", run_id, "--poll", "0.01", "--json", *there])
    unknown = commands.run(["kubeflow", "runs", "show", "no-such-run", *there])

    assert run_id in listed.text
    assert ended.wait() == 0, ended.text
    assert waited.wait() == 1
    assert json.loads(waited.stdout.read_text())["state"] == "CANCELED"
    assert unknown.wait() == 1
    assert unknown.text.startswith("error: The server knows no such thing.")


def test_the_log_of_a_task_or_the_way_to_it(
    commands: CommandServer, server: KubeflowApi, specification: Specification, tmp_path: Path
) -> None:
    there = connection(server, tmp_path)
    waited = ["--wait", "--poll", "0.01"]
    started = commands.run(["kubeflow", "submit", str(specification.file), *waited, *there])
    assert started.wait() == 0, started.text
    (run_id,) = server.runs
    server.faults = [Fault("GET /apis/v1alpha1/.*impl-107/log", 200, {"Content-Type": "text/plain"}, b"hello you\n")]

    shown = commands.run(["kubeflow", "runs", "logs", run_id, *there])

    assert shown.wait() == 1, shown.text  # of the other task the server has none
    assert "hello you" in shown.text
    assert "kubectl logs -n kubeflow flow-system-container-impl-102 -c main" in shown.text


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["submit", "FILE", "--parameter", "stepps=1"], "Did you mean steps?"),
        (["submit", "FILE", "--parameter", "steps=many"], "The parameter must be a whole number."),
        (["submit", "no-such-file.yaml"], "The compiled pipeline cannot be read."),
        (["schedule", "create", "FILE", "--cron", "0 25 * * *"], "The hour of the cron expression is wrong."),
        (["schedule", "create", "FILE", "--every", "soon"], "It is no interval."),
    ],
)
def test_mistakes_are_told_before_anything_is_asked(
    commands: CommandServer,
    server: KubeflowApi,
    specification: Specification,
    tmp_path: Path,
    words: list[str],
    told: str,
) -> None:
    words = [str(specification.file) if word == "FILE" else word for word in words]

    refused = commands.run(["kubeflow", *words, *connection(server, tmp_path)])

    assert refused.wait() == 1
    assert told in refused.text
    assert server.requests == []


def test_a_server_must_be_named(commands: CommandServer) -> None:
    if os.environ.get("KF_PIPELINES_ENDPOINT"):
        pytest.skip("this environment names one")

    refused = commands.run(["kubeflow", "runs", "list"])

    assert refused.wait() == 1
    assert "The API server is not named." in refused.text
