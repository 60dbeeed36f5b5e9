"""A run on Kubeflow, task by task: each is the command of the compiled package, in a process of its own, on MySQL."""

from __future__ import annotations

import contextlib
import gzip
import json
import os
import re
import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from configs.load import load_settings
from configs.settings import Settings
from runners.kubeflow.package import checked_package
from runners.kubeflow.run_parameters import settings_text
from runners.output_lock import output_lock
from tests.integration.command_server import Command, CommandServer, is_gone, wait_until_gone
from tests.integration.servers.database_server import PASSWORD, PASSWORD_VARIABLE

pytestmark = pytest.mark.slow

SETTINGS = """\
name: tiny
output_dir: FOLDER/out
data: {path: FOLDER/data/*.csv}
features:
  fare: {kind: numeric}
  miles: {kind: numeric}
label: {kind: binary, expression: tips > 1}
model: {hidden_units: [4]}
training: {epochs: 1, batch_size: 32}
evaluation: {thresholds: {auc: {lower: 0.0}}, change_thresholds: {}}
metadata: {url: 'URL'}
kubeflow:
  image: registry.example.com/ml/scalable-tf:1.0
  volumes: [{mount: FOLDER, claim: pipelines}]
  environment_secrets: {VARIABLE: {secret: store, key: password}, HOOK: {secret: chat, key: path}}
  webhook: http://127.0.0.1:PORT/${HOOK}
"""
ROWS = "fare,miles,tips\n" + "".join(f"{n},{n}.5,{n % 3}\n" for n in range(1, 301))
COMPLETE = {"state": "COMPLETE", "pipelineTaskName": "exit-handler-1", "error": {}}


@dataclass
class Hook:
    """A webhook that keeps what it is told."""

    told: list[dict[str, Any]] = field(default_factory=list)
    port: int = 0


@pytest.fixture(scope="module")
def hook() -> Iterator[Hook]:
    kept = Hook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            kept.told.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    kept.port = server.server_port
    yield kept
    server.shutdown()
    server.server_close()
    thread.join()


@dataclass
class Cluster:
    """What a Kubeflow would do with the package: the commands of its tasks, their placeholders filled in."""

    folder: Path
    file: Path
    commands: CommandServer
    settings: Settings

    def __post_init__(self) -> None:
        # Of this machine's own server, which the check would refuse for a pod.
        elsewhere = self.settings.model_copy(
            update={"metadata": self.settings.metadata.model_copy(update={"url": _on(self.settings, "mysql.ml")})}
        )
        findings, text = checked_package(elsewhere, "kfp")
        assert [finding for finding in findings if finding.severity == "error"] == []
        self._document = next(yaml.safe_load_all(text))
        self.tasks = list(_in_order(self._document["components"]["comp-exit-handler-1"]["dag"]["tasks"]))

    def start(self, task: str, run_id: str, status: Any = None, **over: Any) -> Command:
        """Starts the container's command of a task."""
        defaults = self._document["root"]["inputDefinitions"]["parameters"]
        values = {name: parameter["defaultValue"] for name, parameter in defaults.items()}
        values |= {"settings": settings_text(self.settings), "run_id": run_id, "status": json.dumps(status), **over}
        container = self._document["deploymentSpec"]["executors"][f"exec-{task}"]["container"]
        assert container["command"][0] == "scalable-tf"
        argv = [*container["command"][1:], *(self._filled(word, task, values) for word in container["args"])]
        return self.commands.start(argv, **{PASSWORD_VARIABLE: PASSWORD, "HOOK": "hook"})

    def run(self, task: str, run_id: str, code: int = 0, **over: Any) -> Command:
        command = self.start(task, run_id, **over)
        assert command.wait() == code, command.text
        assert PASSWORD not in command.text
        return command

    def output(self, task: str, name: str) -> Path:
        return self.folder / "kfp" / task / name

    def records(self) -> dict[str, Any]:
        command = self.commands.run(["runs", "list", "-c", str(self.file), "--json"], **{PASSWORD_VARIABLE: PASSWORD})
        return {record["run_id"]: record for record in json.loads(command.stdout.read_text())}

    def _filled(self, word: str, task: str, values: dict[str, Any]) -> str:
        outputs = {
            "artifacts": {
                "metrics": {"artifacts": [{"name": "metrics", "uri": "minio://b/metrics", "type": {}, "metadata": {}}]}
            },
            "outputFile": str(self.output(task, "output_metadata.json")),
        }
        word = word.replace("{{$}}", json.dumps({"inputs": {}, "outputs": outputs}))
        word = re.sub(r"\{\{\$\.outputs\.artifacts\['(\w+)'\]\.path\}\}", lambda m: str(self.output(task, m[1])), word)
        return re.sub(r"\{\{\$\.inputs\.parameters\['(\w+)'\]\}\}", lambda m: _text(values[m[1]]), word)


def _text(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _on(settings: Settings, host: str) -> Any:
    url = settings.metadata.url
    assert url is not None
    return type(url)(str(url).replace("127.0.0.1", host).replace("localhost", host))


def _in_order(tasks: dict[str, Any]) -> Iterator[str]:
    done: list[str] = []
    while len(done) < len(tasks):
        for name, task in tasks.items():
            if name not in done and set(task.get("dependentTasks", ())) <= set(done):
                done.append(name)
                yield name


@pytest.fixture(scope="module")
def cluster(mysql: Any, hook: Hook, commands: CommandServer, tmp_path_factory: pytest.TempPathFactory) -> Cluster:
    folder = tmp_path_factory.mktemp("cluster")
    (folder / "data").mkdir()
    (folder / "data/rows.csv").write_text(ROWS)
    text = SETTINGS.replace("FOLDER", str(folder)).replace("URL", mysql.create("kubeflow_tasks"))
    file = folder / "tiny.yaml"
    file.write_text(text.replace("PORT", str(hook.port)).replace("VARIABLE", PASSWORD_VARIABLE))
    return Cluster(folder, file, commands, load_settings([file], (), {PASSWORD_VARIABLE: PASSWORD}))


def test_a_run_and_the_next_one_from_the_cache(cluster: Cluster, hook: Hook) -> None:
    hook.told.clear()
    assert cluster.tasks[0] == "begin"
    cluster.run("begin", "run-1")
    cluster.run("begin", "run-1")  # as after its pod was lost
    for task in cluster.tasks[1:]:
        command = cluster.run(task, "run-1")
        assert " complete\n" in command.stdout.read_text()
        assert cluster.output(task, "report").read_text().startswith("# ")
    assert cluster.run("trainer", "run-1").stdout.read_text().startswith("Trainer complete")  # it is not trained again
    cluster.run("end", "run-1", status=COMPLETE)

    record = cluster.records()["run-1"]
    assert (record["state"], record["nodes_done"], record["nodes_cached"], record["release"]) == ("complete", 11, 0, 1)
    assert hook.told == [
        {
            "pipeline": "tiny", "run_id": "run-1", "outcome": "complete", "task": "", "message": "", "blessed": True,
            "release": 1,
        }
    ]  # fmt: skip
    assert "<h2>train: " in cluster.output("statistics-gen", "page").read_text()
    metrics = json.loads(cluster.output("evaluator", "output_metadata.json").read_text())
    (artifact,) = metrics["artifacts"]["metrics"]["artifacts"]
    assert artifact["uri"] == "minio://b/metrics"
    assert 0 <= artifact["metadata"]["auc"] <= 1
    assert "Trainer" in (cluster.folder / "out/logs/run-1/Trainer.log").read_text()

    cluster.run("begin", "run-2")
    for task in cluster.tasks[1:]:
        cluster.run(task, "run-2")
    cluster.run("end", "run-2", status=COMPLETE)
    record = cluster.records()["run-2"]
    # A resolver is never cached: it looks again.
    assert (record["state"], record["nodes_done"], record["nodes_cached"]) == ("complete", 11, 10)
    for written in (cluster.folder / "out").rglob("*"):
        assert not written.is_file() or PASSWORD.encode() not in written.read_bytes(), written


def test_a_run_that_fails_is_closed_and_told(cluster: Cluster, hook: Hook) -> None:
    hook.told.clear()
    nowhere = cluster.settings.model_copy(
        update={"data": cluster.settings.data.model_copy(update={"path": f"{cluster.folder}/nothing/*.csv"})}
    )
    settings = settings_text(nowhere)
    cluster.run("begin", "failing", settings=settings)
    command = cluster.run("example-gen", "failing", code=1, settings=settings)
    said = command.stderr.read_text().rpartition("error: ")[2]
    assert "nothing" in said
    assert "  Fix: " in said
    cluster.run("end", "failing", settings=settings, status={"state": "FAILED"})
    cluster.run("end", "failing", settings=settings, status={"state": "FAILED"})  # as after its pod was lost

    record = cluster.records()["failing"]
    assert record["state"] == "failed"
    assert record["error"].startswith("ExampleGen: ")
    (told,) = hook.told
    assert (told["outcome"], told["task"], told["release"]) == ("failed", "ExampleGen", None)
    assert told["message"].splitlines()[0] in said


def test_a_run_that_was_terminated_is_interrupted(cluster: Cluster, hook: Hook) -> None:
    hook.told.clear()
    cluster.run("begin", "stopped")
    cluster.run("example-gen", "stopped")
    cluster.run("end", "stopped", status={"state": "CANCELED"})
    assert cluster.records()["stopped"]["state"] == "interrupted"
    assert [(told["outcome"], told["task"]) for told in hook.told] == [("interrupted", "StatisticsGen")]


def test_a_run_that_was_never_begun_is_told_all_the_same(cluster: Cluster, hook: Hook) -> None:
    hook.told.clear()
    for _ in range(2):  # Kubeflow tries again what has failed
        command = cluster.run("end", "unknown", code=1, status={"state": "FAILED"})
        assert "was not begun" in command.stderr.read_text()
    assert [(told["outcome"], told["task"]) for told in hook.told] == [("failed", "begin")]


def _long_training(cluster: Cluster, **kubeflow: Any) -> str:
    training = cluster.settings.training.model_copy(update={"steps": 10_000_000, "early_stopping": None})
    section = cluster.settings.kubeflow.model_validate({**cluster.settings.kubeflow.model_dump(), **kubeflow})
    return settings_text(cluster.settings.model_copy(update={"training": training, "kubeflow": section}))


def test_a_task_that_takes_too_long_is_ended_with_all_it_started(cluster: Cluster, hook: Hook) -> None:
    hook.told.clear()
    settings = _long_training(cluster, nodes={"Trainer": {"timeout_seconds": 3}})
    cluster.run("begin", "slow", settings=settings)
    for task in cluster.tasks[1 : cluster.tasks.index("trainer")]:
        cluster.run(task, "slow", settings=settings)
    command = cluster.start("trainer", "slow", settings=settings)
    children = _children(command)
    assert command.wait() == 1
    assert "took longer than it may" in command.stderr.read_text().rpartition("error: ")[2]
    assert wait_until_gone(children) == []
    cluster.run("end", "slow", settings=settings, status={"state": "FAILED"})
    (told,) = hook.told
    assert told["task"] == "Trainer"
    assert "took longer than it may" in told["message"]


def test_a_task_whose_pod_is_ended_stops_what_it_started(cluster: Cluster) -> None:
    settings = _long_training(cluster)
    cluster.run("begin", "evicted", settings=settings)
    for task in cluster.tasks[1 : cluster.tasks.index("trainer")]:
        cluster.run(task, "evicted", settings=settings)
    command = cluster.start("trainer", "evicted", settings=settings)
    children = _children(command)
    command.signal(signal.SIGTERM)
    assert command.wait() == 128 + signal.SIGTERM
    assert wait_until_gone(children) == []
    cluster.run("end", "evicted", settings=settings, status={"state": "CANCELED"})
    assert cluster.records()["evicted"]["state"] == "interrupted"


def _children(command: Command) -> list[int]:
    """The processes of a task, once its node has one."""
    while not is_gone(command.pid):
        with contextlib.suppress(OSError):  # one has just ended
            found = command.children()
            if "Trainer.log" in [Path(f"/proc/{pid}/fd/1").readlink().name for pid in found]:
                return found
        time.sleep(0.05)
    raise AssertionError(command.text)


def test_local_runs_beside_a_run_on_kubeflow(cluster: Cluster) -> None:
    cluster.run("begin", "open")
    environment = {PASSWORD_VARIABLE: PASSWORD}
    local = cluster.commands.run(["run", "-c", str(cluster.file)], **environment)
    assert local.wait() == 0, local.text
    assert cluster.records()["open"]["state"] == "running"
    resumed = cluster.commands.run(["run", "-c", str(cluster.file), "--resume", "open"], **environment)
    assert resumed.wait() == 1
    assert "somebody else walks its graph" in resumed.stderr.read_text()
    cleaned = cluster.commands.run(["clean", "-c", str(cluster.file), "--keep-runs", "1", "--yes"], **environment)
    assert cleaned.wait() == 0, cleaned.text
    cluster.run("example-gen", "open")
    cluster.run("end", "open", status={"state": "CANCELED"})
    assert cluster.records()["open"]["state"] == "interrupted"


def test_a_run_does_not_begin_while_a_local_run_holds_the_folder(cluster: Cluster) -> None:
    with output_lock(cluster.folder / "out", "a local run"):
        command = cluster.run("begin", "late", code=1)
    assert "Another run is using this output_dir" in command.stderr.read_text()
    assert "late" not in cluster.records()


def test_settings_for_other_tasks_are_refused_before_anything_is_written(cluster: Cluster) -> None:
    kubeflow = cluster.settings.kubeflow.model_copy(update={"image": "other:1"})
    other = settings_text(cluster.settings.model_copy(update={"kubeflow": kubeflow}))
    command = cluster.run("begin", "other", code=1, settings=other)
    assert "for other tasks than those that were compiled" in command.stderr.read_text()
    assert 'kubeflow.image: compiled "registry.example.com/ml/scalable-tf:1.0", given "other:1"' in command.text
    assert not (cluster.folder / "out/logs/other").exists()


def test_the_plan_says_the_span_and_knows_what_became_of_it(cluster: Cluster, hook: Hook) -> None:
    hook.told.clear()
    (cluster.folder / "spans").mkdir()
    (cluster.folder / "spans/7.csv.gz").write_bytes(gzip.compress(ROWS.encode())[:-20])
    path = f"{cluster.folder}/spans/{{SPAN}}.csv.gz"
    data = cluster.settings.data.model_copy(update={"path": path})
    settings = settings_text(cluster.settings.model_copy(update={"data": data}))

    begun = cluster.run("begin", "span-7", settings=settings)
    cluster.run("example-gen", "span-7", code=1, settings=settings)
    cluster.run("end", "span-7", settings=settings, status={"state": "FAILED"})
    again = cluster.run("begin", "span-7-again", code=1, settings=settings)

    assert "Run span-7 of tiny on span 7 is begun." in begun.text
    assert "No span is to be trained on now." in again.text
    assert "Received: refused 7: ExampleGen: " in again.text
    given = ["-c", str(cluster.file), "--set", f"data.path={path}"]
    plan = cluster.commands.run(["schedule", "plan", *given, "--json"], **{PASSWORD_VARIABLE: PASSWORD})
    (decision,) = json.loads(plan.stdout.read_text())["decisions"]
    assert (decision["span"], decision["action"], decision["run"]) == (7, "refused", "")
    shown = cluster.commands.run(["runs", "show", "span-7", *given, "--json"], **{PASSWORD_VARIABLE: PASSWORD})
    record = json.loads(shown.stdout.read_text())["record"]
    assert (record["state"], record["error"], record["span"]) == ("failed", "DataError", 7)
    assert record["data"]
    assert [told["task"] for told in hook.told] == ["ExampleGen"]


def test_an_id_that_kubeflow_did_not_fill_in(cluster: Cluster) -> None:
    command = cluster.run("begin", "{{$.pipeline_job_uuid}}", code=1)
    assert "not the id of a run" in command.stderr.read_text()


def test_other_settings_under_the_same_id_are_refused(cluster: Cluster) -> None:
    cluster.run("begin", "twice")
    other = cluster.settings.model_copy(update={"training": cluster.settings.training.model_copy(update={"epochs": 2})})
    command = cluster.run("begin", "twice", code=1, settings=settings_text(other))
    assert "was begun before, with other settings" in command.stderr.read_text()
    assert "changed: Trainer" in command.stderr.read_text()
    assert os.listdir(cluster.folder / "out/logs/twice")
