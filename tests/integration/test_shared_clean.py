"""`clean` where the files are in an object store: it removes there what it would remove from a folder."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tfx.types import standard_artifacts

from runners import cli
from runners.kubeflow.root import object_store
from runners.kubeflow.root.shared_root import SharedRoot
from runners.kubeflow.root.unit_names import MANIFESTS
from tests.integration.s3_server import s3_server
from tests.integration.trips import write_trips
from tests.unit.runners.made_history import Artifacts, MadeHistory

pytestmark = pytest.mark.slow

_OVERLAY = """\
metadata: {url: "sqlite:///FILE"}
kubeflow: {image: "registry.example.com/stf:1", root: ROOT}
"""


@pytest.fixture
def bucket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    with s3_server(tmp_path) as server:
        for name, value in server.environ.items():
            monkeypatch.setenv(name, value)
        object_store._store.cache_clear()
        server.client.create_bucket(Bucket="pipelines")
        yield "s3://pipelines"
        object_store._store.cache_clear()


class Cleaned:
    """A history whose files are in a root as well as on this disk."""

    def __init__(self, folder: Path, url: str) -> None:
        self.made = MadeHistory(folder, store_file=folder / "metadata.sqlite")
        self.root = SharedRoot(self.made.output_dir, url)
        self.file = write_trips(folder)
        self.overlay = folder / "overlay.yaml"
        self.overlay.write_text(_OVERLAY.replace("FILE", str(self.made.store_file)).replace("ROOT", url))
        self.local = folder / "local.yaml"
        self.local.write_text(_OVERLAY.replace("FILE", str(self.made.store_file)).replace(", root: ROOT", ""))

    def refused(self, run_id: str) -> Artifacts:
        """A run whose model was not blessed."""
        self.made.record(run_id)
        examples = self.made.ingest(run_id)
        return {**examples, **self.made.train(run_id, examples, blessed=0)}

    def prepared(self, name: str, run_id: str | None) -> None:
        """Prepared data, which a run has read."""
        folder = self.made.output_dir / "prepared" / name
        folder.mkdir(parents=True)
        (folder / "rows.csv").write_text(name)
        if run_id is not None:
            properties = {
                "input_base": str(folder.parent),
                "input_config": json.dumps({"splits": [{"pattern": name}]}),
            }
            self.made.node(run_id, "ExampleGen", {}, {"examples": standard_artifacts.Examples}, properties=properties)
        self.root.take([f"prepared/{name}"])

    def take(self) -> None:
        """What the tasks would have taken."""
        folder = self.made.output_dir
        self.root.take(path.relative_to(folder).as_posix() for path in folder.glob("artifacts/*/[!.]*/*"))
        self.root.take(path.relative_to(folder).as_posix() for path in folder.glob("artifacts/*/.system/*/*"))
        files = [path for part in ("logs", "releases") for path in (folder / part).rglob("*") if path.is_file()]
        self.root.take_files(path.relative_to(folder).as_posix() for path in files if not path.name.startswith("."))

    def clean(self, capsys: pytest.CaptureFixture[str], *arguments: str, overlay: Path | None = None) -> Any:
        argv = ["clean", "-c", str(self.file), "-c", str(overlay or self.overlay), "--keep-runs", "1", "--json"]
        code = cli.main([*argv, *arguments])
        found = capsys.readouterr()
        return json.loads(found.out) if code == 0 else found.err

    def names(self) -> set[str]:
        return {name for name in self.root.store.list("") if not name.startswith(".")}


def test_what_goes_from_the_root_is_what_would_go_from_a_folder(
    tmp_path: Path, bucket: str, capsys: pytest.CaptureFixture[str]
) -> None:
    history = Cleaned(tmp_path, f"{bucket}/trips")
    made, output = history.made, history.made.output_dir
    history.prepared("b-old", "0")
    history.prepared("a-new", None)
    made.record("0")
    made.release("0", made.train("0", examples := made.ingest("0")), examples)
    history.refused("1")
    made.node("1", "Trainer", {}, {"model": standard_artifacts.Model}, state="failed")
    working = output / "artifacts/Trainer/.system/stateful_working_dir/1-8"
    working.mkdir(parents=True)
    (working / "checkpoint").write_text("step 5")
    for run_id in ("0", "1", "2"):
        (output / f"logs/{run_id}").mkdir(parents=True)
        (output / f"logs/{run_id}/settings.json").write_text(run_id)
    history.refused("2")
    history.take()
    expected = history.clean(capsys, "--logs", overlay=history.local)
    gone = [Path(one["path"]).relative_to(output).as_posix() for one in expected["remove"]]
    assert {"artifacts/Trainer/model/7", "logs/1"} <= set(gone)
    before = history.names()
    shutil.rmtree(output)  # another machine than those of the tasks

    plan = history.clean(capsys, "--logs")
    by_path = sorted(plan["remove"], key=lambda one: str(one["path"]))
    assert by_path == sorted(expected["remove"], key=lambda one: str(one["path"]))
    assert {key: sorted(map(str, plan[key])) for key in ("keep", "leave", "forget")} == {
        key: sorted(map(str, expected[key])) for key in ("keep", "leave", "forget")
    }
    assert history.names() == before  # a dry run

    history.clean(capsys, "--logs", "--yes")
    assert history.names() == {name for name in before if not any(name.startswith(f"{folder}/") for folder in gone)}
    manifests = {name.removeprefix(f"{MANIFESTS}/").removesuffix(".json") for name in history.root.units("")}
    assert not manifests & set(gone)
    assert history.clean(capsys, "--logs")["remove"] == []
    assert not output.exists()


def test_notes_of_runs_that_never_began_go_with_the_logs(
    tmp_path: Path, bucket: str, capsys: pytest.CaptureFixture[str]
) -> None:
    history = Cleaned(tmp_path, f"{bucket}/trips")
    note, log = (f"logs/{name}" for name in ("never/.told-failed", "of-another/ExampleGen.log"))
    for name in (note, log):
        history.root.store.put(name, b"")
    before = history.root.store.list("logs/")[note].modified
    while time.time() < before + 1:  # the server tells whole seconds
        time.sleep(0.01)
    history.refused("1")
    history.refused("2")
    history.clean(capsys, "--logs", "--yes")
    assert set(history.root.store.list("logs/")) == {log}


def test_nothing_goes_while_a_run_is_going_on(tmp_path: Path, bucket: str, capsys: pytest.CaptureFixture[str]) -> None:
    history = Cleaned(tmp_path, f"{bucket}/trips")
    history.refused("1")
    history.refused("2")
    history.made.record("3", "running", orchestrator="kubeflow")
    history.take()
    before = history.names()
    assert history.clean(capsys)["remove"] != []
    assert "A run is using this pipeline root" in history.clean(capsys, "--yes")
    assert history.names() == before


def test_a_run_that_begins_meanwhile_keeps_what_is_left(
    tmp_path: Path, bucket: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    history = Cleaned(tmp_path, f"{bucket}/trips")
    history.refused("1")
    history.refused("2")
    history.take()
    first, *others = [one["path"] for one in history.clean(capsys)["remove"]]
    delete = object_store.object_store(history.root.url).delete_same

    def begin(objects: Any) -> None:
        delete(objects)
        history.made.record("3", "running", orchestrator="kubeflow")

    with monkeypatch.context() as patch:
        patch.setattr(history.root.store, "delete_same", begin)
        assert "A run is using this pipeline root" in history.clean(capsys, "--yes")
    left = {Path(history.made.output_dir / name) for name in history.names()}
    there = [folder for folder in (first, *others) if any(name.is_relative_to(folder) for name in left)]
    assert there == others


def test_a_clean_that_was_killed_is_ended_by_the_next_one(
    tmp_path: Path, bucket: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    history = Cleaned(tmp_path, f"{bucket}/trips")
    history.refused("1")
    history.refused("2")
    history.take()
    gone = {one["path"] for one in history.clean(capsys)["remove"]}
    with monkeypatch.context() as patch:
        patch.setattr(history.root.store, "delete_same", _killed)
        with pytest.raises(Killed):
            history.clean(capsys, "--yes")
    history.clean(capsys, "--yes")
    left = {str(history.made.output_dir / name) for name in history.names()}
    assert not [name for name in left if any(name.startswith(f"{folder}/") for folder in gone)]
    assert not history.root.store.list(".deleted/")


class Killed(BaseException):
    """What ends a process."""


def _killed(names: object) -> None:
    raise Killed
