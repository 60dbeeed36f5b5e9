"""A run on Kubeflow whose root is on S3: every task begins with an empty output_dir, and has the store only."""

from __future__ import annotations

import json
import re
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from configs.load import load_settings
from configs.settings import Settings
from runners.kubeflow.package import checked_package
from runners.kubeflow.root import object_store
from runners.kubeflow.root.unit_names import MANIFESTS
from runners.kubeflow.run_parameters import settings_text
from tests.digests import digests
from tests.integration.command_server import Command, CommandServer, is_gone
from tests.integration.s3_server import S3Server, s3_server
from tests.integration.trips import SETTINGS, write_trips

pytestmark = pytest.mark.slow

BUCKET, PREFIX = "pipelines", "trips"
ROOT = f"s3://{BUCKET}/{PREFIX}"
_OVERLAY = """\
metadata: {url: "sqlite:///FOLDER/metadata.sqlite"}
kubeflow:
  image: registry.example.com/scalable-tensorflow@sha256:DIGEST
  root: s3://pipelines/trips
  volumes: [{claim: data, mount: FOLDER/data}]
"""


@dataclass
class Chain:
    """The tasks of the compiled package, in processes of their own, each with an empty output_dir."""

    folder: Path
    settings: Settings
    commands: CommandServer
    server: S3Server
    left: list[Path] = field(default_factory=list)

    def __post_init__(self) -> None:
        # The test's own store is a file, which the check would refuse for pods.
        metadata = self.settings.metadata.model_validate({"url": "mysql://ml@mysql.ml/metadata"})
        findings, text = checked_package(self.settings.model_copy(update={"metadata": metadata}), "kfp")
        assert [finding for finding in findings if finding.severity == "error"] == []
        self.document, self.platform = yaml.safe_load_all(text)
        dag = self.document["components"]["comp-exit-handler-1"]["dag"]["tasks"]
        self.tasks: list[str] = []
        while len(self.tasks) < len(dag):
            done = set(self.tasks)
            self.tasks += [
                name for name in dag if name not in done and set(dag[name].get("dependentTasks", ())) <= done
            ]

    def start(self, task: str, run_id: str, endpoint: str = "") -> Command:
        output = self.folder / "output"
        if output.exists():
            self.left.append(output.rename(self.folder / f"left-{len(self.left)}"))
        output.mkdir()
        values = {
            name: given["defaultValue"]
            for name, given in self.document["root"]["inputDefinitions"]["parameters"].items()
        }
        values |= {
            "settings": settings_text(self.settings),
            "run_id": run_id,
            "status": json.dumps({"state": "COMPLETE"}),
        }
        container = self.document["deploymentSpec"]["executors"][f"exec-{task}"]["container"]
        outputs = {"artifacts": {"metrics": {"artifacts": [{"name": "m", "uri": "", "metadata": {}}]}}}
        outputs["outputFile"] = str(self.folder / "kfp/metadata.json")  # type: ignore[assignment]

        def filled(word: str) -> str:
            word = word.replace("{{$}}", json.dumps({"outputs": outputs}))
            word = re.sub(r"\{\{\$\.outputs\.artifacts\['(\w+)'\]\.path\}\}", rf"{self.folder}/kfp/{task}-\1", word)
            return re.sub(r"\{\{\$\.inputs\.parameters\['(\w+)'\]\}\}", lambda found: _text(values[found[1]]), word)

        argv = [*container["command"][1:], *map(filled, container["args"])]
        return self.commands.start(
            argv, **{**self.server.environ, **({"AWS_ENDPOINT_URL": endpoint} if endpoint else {})}
        )

    def run(self, task: str, run_id: str) -> str:
        command = self.start(task, run_id)
        assert command.wait() == 0, command.text
        return command.stdout.read_text()

    def record(self, run_id: str) -> Any:
        argv = ["runs", "list", "-c", str(self.folder / "settings.yaml"), "-c", str(self.folder / "overlay.yaml")]
        text = self.commands.run([*argv, "--json"])
        assert text.wait() == 0, text.text
        return next(record for record in json.loads(text.stdout.read_text()) if record["run_id"] == run_id)

    def keys(self, below: str = "") -> list[str]:
        pages = self.server.client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=f"{PREFIX}/{below}")
        return [each["Key"].removeprefix(f"{PREFIX}/") for page in pages for each in page.get("Contents", ())]

    def download(self, below: str, folder: Path) -> Path:
        for key in self.keys(f"{below}/"):
            file = folder / key
            file.parent.mkdir(parents=True, exist_ok=True)
            self.server.client.download_file(BUCKET, f"{PREFIX}/{key}", str(file))
        return folder / below


def _text(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


@pytest.fixture(scope="module")
def chain(commands: CommandServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    folder = tmp_path_factory.mktemp("chain")
    file = write_trips(folder, settings=SETTINGS.replace("epochs: 6", "epochs: 20, early_stopping: null"))
    (folder / "data").mkdir()
    (folder / "data.csv").rename(folder / "data/data.csv")
    file.write_text(file.read_text().replace("/data.csv", "/data/data.csv"))
    overlay = folder / "overlay.yaml"
    overlay.write_text(_OVERLAY.replace("FOLDER", str(folder)).replace("DIGEST", "0" * 64))
    with s3_server(folder) as server, pytest.MonkeyPatch.context() as patch:
        for name, value in server.environ.items():
            patch.setenv(name, value)
        object_store._store.cache_clear()
        server.client.create_bucket(Bucket=BUCKET)
        yield Chain(folder, load_settings([file, overlay], (), {}), commands, server)
        object_store._store.cache_clear()


@contextmanager
def stuck(url: str, wanted: bytes) -> Iterator[tuple[str, threading.Event]]:
    """A way to a server on which a request with some words gets stuck; its URL, and whether that has happened."""
    happened, over = threading.Event(), threading.Event()
    address = ("127.0.0.1", int(url.rpartition(":")[2]))

    def pass_on(source: socket.socket, target: socket.socket, watched: bool) -> None:
        with suppress(OSError):
            while data := source.recv(1 << 16):
                if watched and wanted in data:
                    happened.set()
                    over.wait()
                    return
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)

    def accept(listening: socket.socket) -> None:
        while True:
            try:
                client, server = listening.accept()[0], socket.create_connection(address)
            except OSError:
                return
            opened.extend((client, server))
            for ends in ((client, server, True), (server, client, False)):
                threads.append(threading.Thread(target=pass_on, args=ends))
                threads[-1].start()

    opened: list[socket.socket] = []
    threads: list[threading.Thread] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:
        threads.append(threading.Thread(target=accept, args=(listening,)))
        threads[0].start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}", happened
        finally:
            over.set()
            listening.shutdown(socket.SHUT_RDWR)
            threads[0].join()
            for end in opened:
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
            for thread in threads:
                thread.join()
            for end in opened:
                end.close()


def test_tasks_that_share_nothing_but_the_store(chain: Chain) -> None:
    scratch = [{"volumeName": "output", "mountPath": str(chain.folder / "output")}]
    executors = chain.platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
    assert {f"exec-{task}": scratch for task in (*chain.tasks, "end")} == {
        label: executor["emptyDirMounts"] for label, executor in executors.items()
    }

    for task in chain.tasks[: chain.tasks.index("trainer")]:
        chain.run(task, "run-1")
    # The pod of the Trainer's first attempt is ended in the middle of the training, ...
    command = chain.start("trainer", "run-1")
    working = chain.folder / "output/artifacts/Trainer/.system/stateful_working_dir"
    while not list(working.glob("*/backup/checkpoint")):
        assert not is_gone(command.pid), command.text
        time.sleep(0.005)
    command.signal(signal.SIGTERM)
    assert command.wait() == 128 + signal.SIGTERM, command.text
    assert [key for key in chain.keys(f"{MANIFESTS}/artifacts/Trainer/") if ".system" in key]
    # ... and that of the second one is lost while its model is being sent.
    with stuck(chain.server.url, b"Format-Serving/saved_model.pb") as (endpoint, happened):
        command = chain.start("trainer", "run-1", endpoint)
        assert happened.wait(120), command.text
        command.signal(signal.SIGKILL)
        command.wait()
    assert chain.keys(f"{MANIFESTS}/artifacts/Trainer/model") == []

    for task in chain.tasks[chain.tasks.index("trainer") :]:
        assert " complete\n" in chain.run(task, "run-1")
    assert chain.run("trainer", "run-1").startswith("Trainer complete")  # it is not trained again
    chain.run("end", "run-1")
    (log,) = chain.download("logs/run-1", chain.folder / "brought").glob("Trainer.log")
    assert re.search(r"Training goes on after step \d+", log.read_text())

    record = chain.record("run-1")
    assert (record["state"], record["release"]) == ("complete", 1)
    assert {"pipeline.pbtxt", "settings.json", "Trainer.log", "Pusher.log"} <= {
        Path(key).name for key in chain.keys("logs/run-1/")
    }
    assert "releases/trips/1/saved_model.pb" in chain.keys("releases/trips/1/")
    assert ".system" not in "\n".join(chain.keys())
    assert (chain.folder / "kfp/evaluator-report").read_text().startswith("# Evaluator: complete")

    local = chain.folder / "local"
    argv = ["run", "-c", str(chain.folder / "settings.yaml"), "--set", f"output_dir={local}"]
    reference = chain.commands.run(argv)
    assert reference.wait() == 0, reference.text
    assert digests(chain.download("artifacts", chain.folder / "brought")) == digests(local / "artifacts")


def test_the_next_run_comes_from_the_cache(chain: Chain) -> None:
    if "releases/trips/1/release.json" not in chain.keys("releases/"):
        pytest.skip("the run before it has not ended well")
    before = chain.keys("artifacts/")
    for task in chain.tasks:
        chain.run(task, "run-2")
    chain.run("end", "run-2")

    record = chain.record("run-2")
    # A resolver is never cached: it looks again.
    assert (record["state"], record["nodes_done"], record["nodes_cached"]) == ("complete", 10, 9)
    assert chain.keys("artifacts/") == before
    assert (chain.folder / "kfp/evaluator-report").read_text().startswith("# Evaluator: cached\n\n| slice")
    assert "<h2>train: " in (chain.folder / "kfp/statistics-gen-page").read_text()
    # Nothing was brought but what drivers read and what is shown: no examples, no model.
    held = {file.name for folder in chain.left[-len(chain.tasks) :] for file in folder.rglob("*") if file.is_file()}
    assert {"release.json", "FeatureStats.pb"} <= held
    assert not [name for name in held if name == "saved_model.pb" or name.endswith((".gz", ".arrow"))]
