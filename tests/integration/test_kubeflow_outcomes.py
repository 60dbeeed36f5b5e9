"""How runs on Kubeflow are closed and told where their files are in a bucket: each task has an empty output_dir."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from tfx.types import standard_artifacts

from components.pusher.executor import REASON_PROPERTY
from configs.settings import Settings
from runners.compiled import compile_pipeline, node_ids, with_run_id
from runners.kubeflow import end_task
from runners.kubeflow.begin_task import begin_run
from runners.kubeflow.end_task import end_run
from runners.kubeflow.root import object_store
from runners.kubeflow.root.run_files import RunFiles
from runners.kubeflow.root.shared_root import SharedRoot
from runners.run_folder import RunFolder, run_folder
from runners.run_record import RunRecord, run_record
from runners.schedule.clock import Clock
from runners.schedule.daemon import run_once
from runners.schedule.ledger import Ledger
from runners.schedule.plan import make_plan
from runners.schedule.scheduler import Scheduler
from schemas.errors import RunError
from tests.integration.faulty_store import FaultyStore, faulty_store
from tests.integration.s3_server import s3_server
from tests.unit.runners.made_history import MadeHistory
from tests.unit.runners.made_settings import made_settings
from tests.unit.runners.test_webhook import server

pytestmark = pytest.mark.slow

MORE_SETTINGS = """\
metadata: {url: "sqlite:///FOLDER/metadata.sqlite"}
kubeflow: {root: "ROOT", webhook: "${HOOK}"}
schedule:
  run_seconds: 3600
  on_success: &hook {command: [sh, -c, "echo $STF_SPAN $STF_STATE $STF_RUN >> FOLDER/told"]}
  on_failure: *hook
"""


@pytest.fixture(scope="module")
def way(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FaultyStore]:
    """To a server of S3 with the bucket `pipelines`."""
    with (
        s3_server(tmp_path_factory.mktemp("server")) as store,
        faulty_store(store.url) as made,
        pytest.MonkeyPatch.context() as patch,
    ):
        for name, value in {**store.environ, "AWS_ENDPOINT_URL": made.url}.items():
            patch.setenv(name, value)
        object_store._store.cache_clear()
        store.client.create_bucket(Bucket="pipelines")
        yield made
        object_store._store.cache_clear()


@dataclass
class Pods:
    """A pipeline whose tasks share a bucket and ML Metadata, and nothing else."""

    folder: Path
    way: FaultyStore
    history: MadeHistory = field(init=False)

    def __post_init__(self) -> None:
        (self.folder / "data").mkdir()
        (self.folder / "data/5.csv").write_text("fare,tips\n1,1\n")
        self.history = MadeHistory(self.folder, store_file=self.folder / "metadata.sqlite")
        self.root = SharedRoot(self.folder / "output", f"s3://pipelines/{self.folder.name}")

    def settings(self, *overrides: str) -> Settings:
        return made_settings(self.folder, *overrides, more=MORE_SETTINGS.replace("ROOT", self.root.url))

    def begun(self, run_id: str, **fields: Any) -> RunFolder:
        """A run of span 5 as `begin` leaves it, of long ago."""
        given = self.settings("data.span=5")
        run = RunFolder(run_folder(given, run_id), with_run_id(compile_pipeline(given), run_id), given)
        run.save()
        RunFiles(self.root, run_id).take()
        self.history.record(run_id, "running", orchestrator="kubeflow", span=5, **fields)
        self.next_pod()
        return run

    def begin(self, run_id: str) -> RunFolder:
        """The task `begin`, where nobody has named a span."""
        try:
            return begin_run(self.settings(), run_id, os.environ)
        finally:
            self.next_pod()

    def end(self, run_id: str, state: str, tries: int = 3) -> int:
        """The task `end`, which Kubeflow tries again where it fails, each time with an empty output_dir."""
        for attempt in range(1, tries + 1):
            try:
                end_run(self.settings(), run_id, f'{{"state": "{state}"}}', os.environ)
                return attempt
            except RunError:
                pass
            finally:
                self.next_pod()
        return tries + 1

    def refuse(self, request: str, times: int) -> None:
        """Has the store refuse the first requests whose `METHOD path` fits a regular expression."""
        self.way.requests.clear()
        self.way.fault = lambda method, path: (
            "ExpiredToken" if re.search(request, f"{method} {path}") and len(self.way.requests) < times else None
        )

    def next_pod(self) -> None:
        shutil.rmtree(self.folder / "output", ignore_errors=True)

    def log(self, run_id: str, node: str, text: str) -> None:
        self.root.store.put(f"logs/{run_id}/{node}.log", text.encode())

    def record(self, run_id: str) -> RunRecord:
        with self.history.metadata as metadata:
            return run_record(metadata, "trips", run_id)

    def told(self) -> list[str]:
        """What the hooks of the schedule were told."""
        file = self.folder / "told"
        return file.read_text().splitlines() if file.exists() else []

    def scheduler(self, *overrides: str) -> Scheduler:
        return Scheduler(self.settings(*overrides), Clock(), "run", lambda _: None)


@pytest.fixture
def pods(way: FaultyStore, tmp_path: Path) -> Iterator[Pods]:
    yield Pods(tmp_path, way)
    way.fault = lambda method, path: None


@pytest.fixture
def got(pods: Pods, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[dict[str, Any]]]:
    """What the webhook is told."""
    with server(*[200] * 5) as (address, bodies):
        monkeypatch.setenv("HOOK", address)
        yield bodies


def released_nothing(pods: Pods, run_id: str) -> None:
    """A run all of whose nodes have ended well, and whose model was not blessed."""
    *before, pusher = node_ids(pods.begun(run_id).pipeline)
    for node in before:
        pods.history.node(run_id, node)
    outputs = {"pushed_model": standard_artifacts.PushedModel}
    pods.history.node(run_id, pusher, outputs=outputs, **{REASON_PROPERTY: "not blessed: auc is 0.4"})


def brief(told: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(one["outcome"], one["task"]) for one in told]


def test_a_log_that_does_not_come_changes_nothing(
    pods: Pods, got: list[dict[str, Any]], caplog: pytest.LogCaptureFixture
) -> None:
    released_nothing(pods, "kfp")
    pods.log("kfp", "Trainer", "It was trained.\n")
    pods.refuse(r"GET .*/logs/kfp/Trainer\.log", 9)
    assert pods.end("kfp", "COMPLETE") == 1
    assert brief(got) == [("complete", "")]
    record = pods.record("kfp")
    assert (record.state, record.release, record.reason) == ("complete", 0, "not blessed: auc is 0.4")
    assert "A log could not be brought" in caplog.text


def test_it_is_told_once_where_the_store_refuses_what_is_written_of_it(pods: Pods, got: list[dict[str, Any]]) -> None:
    released_nothing(pods, "kfp")
    pods.refuse(r"PUT .*/\.told", 1)
    assert pods.end("kfp", "COMPLETE") == 1
    assert brief(got) == [("complete", "")]


def test_it_is_told_where_the_answer_to_what_is_written_of_it_is_lost(pods: Pods, got: list[dict[str, Any]]) -> None:
    released_nothing(pods, "kfp")
    pods.way.requests.clear()
    pods.way.fault = lambda method, path: (
        "unanswered" if method == "PUT" and "/.told" in path and not pods.way.requests else None
    )
    for _ in range(2):
        assert pods.end("kfp", "COMPLETE") == 1
    assert pods.way.requests == ["PUT"]
    assert brief(got) == [("complete", "")]


def test_a_run_that_was_never_begun_is_told_once(pods: Pods, got: list[dict[str, Any]]) -> None:
    assert pods.end("unknown", "FAILED") == 4  # there is nothing to close, however often
    assert brief(got) == [("failed", "begin")]


@pytest.mark.parametrize(("state", "expected"), [("COMPLETE", "complete"), ("FAILED", "failed")])
def test_where_the_store_is_away_kubeflow_is_believed_until_a_repetition_reads_the_records(
    state: str, expected: str, pods: Pods, got: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(end_task, "_PAUSES", (0,))
    released_nothing(pods, "kfp")
    if state == "FAILED":
        pods.history.node("kfp", "Trainer", state="failed")
    pods.refuse(r"GET .*/logs/kfp/pipeline\.pbtxt", 4)
    assert pods.end("kfp", state) == 3
    assert brief(got) == [(expected, "end"), (expected, "Trainer" if state == "FAILED" else "")]
    assert pods.record("kfp").state == expected  # by the nodes' own word
    pods.refuse(r"GET .*/logs/kfp/pipeline\.pbtxt", 2)
    assert pods.end("kfp", state) == 2
    assert len(got) == 2


def test_a_store_that_is_away_for_a_moment_is_waited_for(
    pods: Pods, got: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(end_task, "_PAUSES", (0, 0, 0))
    released_nothing(pods, "kfp")
    pods.refuse(r"GET .*/logs/kfp/pipeline\.pbtxt", 3)
    assert pods.end("kfp", "COMPLETE") == 1
    assert brief(got) == [("complete", "")]


def test_a_lost_run_is_closed_with_the_log_in_the_bucket_and_told_once(pods: Pods, got: list[dict[str, Any]]) -> None:
    pods.begun("kfp", trigger="cron")
    pods.log("kfp", "ExampleGen", "schemas.errors.DataError: The file is cut off.\n  Where: 5.csv\n")
    for _ in range(2):  # the schedule is at work on a machine that keeps its output_dir
        scheduler = pods.scheduler()
        run_once(scheduler, partial(make_plan, scheduler.settings.schedule, scheduler.settings.window))
        record = pods.record("kfp")
        assert (record.state, record.error) == ("failed", "DataError")
        assert record.message == "ExampleGen: The file is cut off."
        assert record.data
        assert pods.told() == ["5 refused kfp"]
        assert Ledger.load(scheduler.folder).outcomes == {5: "trips/kfp/refused/1"}
    pods.next_pod()
    assert pods.end("kfp", "FAILED") == 1  # it does come, after all
    assert brief(got) == [("failed", "ExampleGen")]


def test_the_next_beginning_closes_a_lost_run_and_tells_it_once(pods: Pods, got: list[dict[str, Any]]) -> None:
    pods.begun("lost")
    for _ in range(2):
        with pytest.raises(RunError, match="No span is to be trained on now") as raised:
            pods.begin("next")
        assert "Received: wait 5: " in str(raised.value)  # it is tried again after a while
    assert pods.record("lost").state == "failed"
    assert brief(got) == [("failed", "ExampleGen")]
    assert pods.told() == ["5 failed lost"]
