"""A shared pipeline root on real servers: of S3, and of Google Cloud Storage where fake-gcs-server is on the path."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import text_format
from tensorflow_serving.config.model_server_config_pb2 import ModelServerConfig

from components.example_gen.kept_folder import alone, fetched_by, is_whole, keep, staging
from configs.settings import Settings
from runners.kubeflow.checks.root import root_findings
from runners.kubeflow.root import object_store
from runners.kubeflow.root.node_files import NodeFiles
from runners.kubeflow.root.object_store import CHUNK_BYTES
from runners.kubeflow.root.shared_root import SharedRoot
from runners.kubeflow.root.unit_names import MANIFESTS, manifest_name
from schemas.artifact_contents import looks
from schemas.errors import ReleaseError, RunError
from serving.audit_log import AuditEntry
from serving.blessing import Blessing
from serving.release import Provenance, Release
from serving.releases import ReleaseStore
from serving.served_models import with_model
from tests.integration.gs_server import gs_server
from tests.integration.s3_server import s3_server
from tests.unit.runners.kubeflow.clusters import on_kfp

UNIT = "artifacts/Trainer/model/7"


@pytest.fixture(scope="module", params=["s3", "gs"])
def bucket(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("server")
    with pytest.MonkeyPatch.context() as patch:
        object_store._store.cache_clear()
        if request.param == "s3":
            with s3_server(folder) as server:
                for name, value in server.environ.items():
                    patch.setenv(name, value)
                server.client.create_bucket(Bucket="pipelines")
                yield "s3://pipelines"
        else:
            with gs_server(folder) as url:
                from google.cloud import storage

                patch.setenv("STORAGE_EMULATOR_HOST", url)
                storage.Client(project="any").create_bucket("pipelines")
                yield "gs://pipelines"
        object_store._store.cache_clear()


@pytest.fixture
def root(bucket: str, tmp_path: Path) -> SharedRoot:
    return SharedRoot(tmp_path / "here", f"{bucket}/{tmp_path.name}")


@pytest.fixture
def other(root: SharedRoot, tmp_path: Path) -> SharedRoot:
    """The same root, of a task with a disk of its own."""
    return SharedRoot(tmp_path / "there", root.url)


def write(root: SharedRoot, **files: bytes) -> None:
    for name, content in files.items():
        path = root.folder / UNIT / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def looks_of(folder: Path) -> str:
    stats = sorted((path.relative_to(folder).as_posix(), path.stat()) for path in folder.rglob("*") if path.is_file())
    return looks((name, stat.st_size, stat.st_mtime_ns) for name, stat in stats)


def test_what_one_task_takes_another_one_brings(root: SharedRoot, other: SharedRoot) -> None:
    large = os.urandom(2 * CHUNK_BYTES + 5)
    write(root, large=large, empty=b"")
    root.take([UNIT])

    other.bring([UNIT])

    assert (other.folder / UNIT / "large").read_bytes() == large
    assert (other.folder / UNIT / "empty").read_bytes() == b""
    published = looks_of(root.folder / UNIT)
    assert looks_of(other.folder / UNIT) == published
    assert other.is_altered(str(other.folder / UNIT), published) is False
    assert other.is_altered(str(other.folder / UNIT), "as something else looked") is True
    assert other.is_altered("/elsewhere/7", published) is None


def test_an_artifact_without_files_is_one(root: SharedRoot, other: SharedRoot) -> None:
    (root.folder / UNIT).mkdir(parents=True)
    root.take([UNIT])
    other.bring([UNIT])
    assert list((other.folder / UNIT).iterdir()) == []
    assert other.units("artifacts/Trainer") == [UNIT]


@pytest.fixture
def sent(root: SharedRoot) -> Iterator[list[str]]:
    """The names of what is uploaded, while it is looked at."""
    names: list[str] = []
    store = object_store.object_store(root.url)
    upload = store.upload
    store.upload = lambda file, name: (names.append(name), upload(file, name))[1]  # type: ignore[method-assign,func-returns-value]
    yield names
    del store.upload


def test_what_has_not_changed_is_not_sent_again(root: SharedRoot, sent: list[str]) -> None:
    write(root, a=b"one", b=b"two")
    root.take([UNIT])
    before = root.objects(UNIT)
    (root.folder / UNIT / "b").write_bytes(b"2")
    sent.clear()
    root.take([UNIT])
    assert sent == [f"{UNIT}/b"]
    assert root.objects(UNIT)["a"] == before["a"]
    assert root.is_whole(UNIT)


def test_half_of_it_is_nothing(root: SharedRoot, other: SharedRoot) -> None:
    write(root, a=b"one", b=b"two")
    root.store.upload(root.folder / UNIT / "a", f"{UNIT}/a")
    assert other.units("artifacts") == []
    with pytest.raises(RunError, match="not in the shared pipeline root"):
        other.bring([UNIT])
    root.take([UNIT])
    other.bring([UNIT])
    assert sorted(path.name for path in (other.folder / UNIT).iterdir()) == ["a", "b"]


def test_what_was_altered_there_is_noticed(root: SharedRoot, other: SharedRoot) -> None:
    write(root, a=b"one")
    root.take([UNIT])
    published = looks_of(root.folder / UNIT)
    root.store.put(f"{UNIT}/a", b"two")
    assert other.is_altered(str(other.folder / UNIT), published) is True
    with pytest.raises(RunError, match="The shared pipeline root cannot be used"):
        other.bring([UNIT])
    assert [path for path in other.folder.rglob("*") if path.is_file()] == []


def test_only_what_was_taken_is_deleted(root: SharedRoot) -> None:
    write(root, a=b"one")
    root.take([UNIT])
    root.store.put(f"{UNIT}/theirs", b"not ours")
    root.forget(UNIT)
    assert set(root.objects(UNIT)) == {"theirs"}
    assert root.store.list(f"{MANIFESTS}/") == {}


def test_a_release_whose_taking_was_cut_off_can_be_retired(root: SharedRoot) -> None:
    unit = "releases/m/3"
    root.claim(unit, "run-1")
    for name in ("saved_model.pb", "release.json"):
        root.store.put(f"{unit}/{name}", b"whole")
    root.store.put("releases/m/4/release.json", b"not ours")
    for one in (unit, "releases/m/4"):
        root.forget(one, first=("release.json", "saved_model.pb"))
    assert set(root.store.list("releases/")) == {"releases/m/4/release.json"}
    assert root.claims("releases") == []


class Killed(BaseException):
    """What ends a process."""


def _killed(objects: object) -> None:
    raise Killed


@pytest.mark.parametrize("requests", range(6))
def test_a_retirement_that_is_killed_is_ended_by_the_next_task(
    root: SharedRoot, other: SharedRoot, monkeypatch: pytest.MonkeyPatch, requests: int
) -> None:
    unit, left = "releases/m/1", requests
    for name in ("release.json", "saved_model.pb", "variables/1", "variables/2"):
        file = root.folder / unit / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(name)
    root.claim(unit, "run-1")
    root.take([unit])

    def killed(delete: Callable[[Any], None]) -> Callable[[Any], None]:
        def delete_or_die(objects: Any) -> None:
            nonlocal left
            if (left := left - 1) < 0:
                raise Killed
            delete(objects)

        return delete_or_die

    with monkeypatch.context() as patch:
        for each in ("delete", "delete_same"):
            patch.setattr(root.store, each, killed(getattr(root.store, each)))
        try:
            root.forget(unit, first=("release.json", "saved_model.pb"))
        except Killed:
            pass
        else:
            pytest.fail("it makes fewer requests: they are not all tried")

    NodeFiles(other, "run-2", "Pusher").prepare("Pusher")
    assert root.store.list("") == {}
    assert ReleaseStore(other.folder / "releases", "m").versions() == {}


PREPARED = "prepared/rows"


def prepare(task: SharedRoot, rows: str) -> None:
    """Makes prepared data, and takes them."""
    parent = task.folder / "prepared"
    with alone(parent), staging(parent) as staged:
        (staged / "rows.csv").write_text(rows)
        keep(staged, task.folder / PREPARED, (str(staged / "rows.csv"),))
    task.take([PREPARED])


def forget_and_be_killed(task: SharedRoot) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(task.store, "delete_same", _killed)
        with pytest.raises(Killed):
            task.forget(PREPARED)


@pytest.mark.parametrize("taken", ["whole", "in part", "and deleted again"])
def test_a_task_that_hangs_deletes_nothing_that_was_made_anew(
    root: SharedRoot, other: SharedRoot, monkeypatch: pytest.MonkeyPatch, taken: str
) -> None:
    prepare(root, "old rows")
    store, get = root.store, root.store.get
    forget_and_be_killed(root)

    def hang(name: str) -> bytes | None:
        """Answers what was there before another task ended the deletion and made the folder anew."""
        answer = get(name)
        monkeypatch.undo()
        root.end_forgetting()
        prepare(root, "new rows")
        if taken == "in part":
            store.delete([manifest_name(PREPARED)])
        if taken == "and deleted again":
            forget_and_be_killed(root)
        return answer

    monkeypatch.setattr(store, "get", hang)
    other.end_forgetting()
    assert store.get(f"{PREPARED}/rows.csv") == b"new rows"
    assert root.is_whole(PREPARED) == (taken != "in part")
    assert bool(store.list(".deleted/")) == (taken == "and deleted again")


def test_what_was_taken_again_since_it_was_to_be_deleted_stays_with_files_that_are_as_they_were(
    root: SharedRoot, other: SharedRoot
) -> None:
    prepare(root, "rows")
    forget_and_be_killed(root)
    (root.folder / PREPARED / "more.csv").write_text("more")
    root.take([PREPARED])
    other.end_forgetting()
    assert root.is_whole(PREPARED)


@pytest.mark.parametrize(
    "note", [b'[["rows.csv"]]', b"{", b'{"unit": "prepared/rows"}'], ids=["names only", "cut off", "in part"]
)
def test_a_note_that_cannot_be_read_stops_no_task(
    root: SharedRoot, other: SharedRoot, caplog: pytest.LogCaptureFixture, note: bytes
) -> None:
    prepare(root, "rows")
    root.store.put(f".deleted/{PREPARED}", note)
    other.end_forgetting()
    assert root.store.list(".deleted/") == {}
    assert root.is_whole(PREPARED)
    assert f".deleted/{PREPARED} cannot be read" in caplog.text


def test_what_was_made_anew_since_a_task_began_stays(root: SharedRoot, other: SharedRoot) -> None:
    prepare(root, "old rows")
    node = NodeFiles(other, "run-1", "ExampleGen")
    node.prepare("ExampleGen")
    (other.folder / PREPARED).rmdir()  # a query's result that is replaced
    root.forget(PREPARED)
    prepare(root, "new rows")
    node.take("ExampleGen", [], "")
    assert root.is_whole(PREPARED)


def test_a_name_belongs_to_one_run(root: SharedRoot, other: SharedRoot) -> None:
    assert root.claim("releases/m/3", "run-1")
    assert root.claim("releases/m/3", "run-1")
    assert not other.claim("releases/m/3", "run-2")
    assert root.claims("releases") == ["releases/m/3"]
    assert not other.is_claimed_by("releases/m/3", "run-2")


def test_a_node_that_failed_leaves_its_working_folder_to_its_next_attempt(root: SharedRoot, other: SharedRoot) -> None:
    working = "artifacts/Trainer/.system/stateful_working_dir/run-1-7"
    (root.folder / working).mkdir(parents=True)
    (root.folder / working / "checkpoint").write_text("step 5")
    NodeFiles(root, "run-1", "Trainer").take_unfinished()

    again = NodeFiles(other, "run-1", "Trainer")
    again.bring({}, str(other.folder / working))
    assert (other.folder / working / "checkpoint").read_text() == "step 5"
    again.take("Trainer", [], str(other.folder / working))
    assert root.store.list("") == {}


def test_what_was_analysed_of_earlier_spans_is_brought_to_transform(root: SharedRoot, other: SharedRoot) -> None:
    cache = "artifacts/Transform/updated_analyzer_cache/5"
    file = "0/span-19783/__analyzer_cache__"
    (root.folder / cache / file).parent.mkdir(parents=True)
    (root.folder / cache / file).write_text("counts")
    NodeFiles(root, "run-1", "Transform").take("Transform", [str(root.folder / cache)], "")

    again = NodeFiles(other, "run-2", "Transform")
    again.prepare("Transform")
    again.bring({"analyzer_cache": [str(other.folder / cache)]}, "")
    assert (other.folder / cache / file).read_text() == "counts"


def test_what_was_prepared_is_brought_when_it_is_asked_for_and_leaves_with_it(
    root: SharedRoot, tmp_path: Path, sent: list[str]
) -> None:
    def keep_one(task: SharedRoot, name: str) -> None:
        parent = task.folder / "prepared"
        with alone(parent), staging(parent) as staged:
            (staged / "rows.csv").write_text(name)
            keep(staged, parent / name, (str(staged / "rows.csv"),))

    tasks = [SharedRoot(tmp_path / f"task-{number}", root.url) for number in range(3)]
    nodes = [NodeFiles(task, "run", "ExampleGen") for task in tasks]
    nodes[0].prepare("ExampleGen")
    for name in ("asked for", "replaced", "not asked for"):
        keep_one(tasks[0], name)
    nodes[0].take("ExampleGen", [], "")

    nodes[1].prepare("ExampleGen")
    prepared = tasks[1].folder / "prepared"
    # As old as they are: a query's result is replaced when it is.
    taken = root.taken("prepared")
    assert {path.name: path.stat().st_mtime for path in prepared.iterdir()} == {
        name: pytest.approx(taken[f"prepared/{name}"].modified, abs=1e-3)
        for name in ("asked for", "replaced", "not asked for")
    }
    with fetched_by(nodes[1].fetch):
        assert is_whole(prepared / "asked for", "csv")
        assert not is_whole(prepared / "of another source", "csv")
    assert list((prepared / "not asked for").iterdir()) == []
    shutil.rmtree(prepared / "replaced")  # as a query's result that a newer one replaces
    keep_one(tasks[1], "new")
    sent.clear()
    nodes[1].take("ExampleGen", [], "")
    assert sorted(sent) == ["prepared/new/.fingerprint", "prepared/new/rows.csv"]

    nodes[2].prepare("ExampleGen")
    assert sorted(path.name for path in (tasks[2].folder / "prepared").iterdir()) == [
        "asked for", "new", "not asked for",
    ]  # fmt: skip
    with fetched_by(nodes[2].fetch):
        assert is_whole(tasks[2].folder / "prepared/new", "csv")


def test_prepared_data_of_which_a_part_is_gone_is_made_anew(root: SharedRoot, other: SharedRoot) -> None:
    parent = root.folder / "prepared"
    with alone(parent), staging(parent) as staged:
        (staged / "rows.csv").write_text("rows")
        keep(staged, parent / "one", (str(staged / "rows.csv"),))
    root.take(["prepared/one"])
    root.store.delete(["prepared/one/rows.csv"])
    files = NodeFiles(other, "run", "ExampleGen")
    files.prepare("ExampleGen")
    with fetched_by(files.fetch):
        assert not is_whole(other.folder / "prepared/one", "csv")


def test_a_single_file_is_a_folder_of_its_own(root: SharedRoot, other: SharedRoot) -> None:
    (root.folder / UNIT).parent.mkdir(parents=True)
    (root.folder / UNIT).write_text("one")
    (root.folder / f"{UNIT}0").mkdir()
    (root.folder / f"{UNIT}0/a").write_text("another's")
    root.take([UNIT, f"{UNIT}0"])
    other.bring([UNIT])
    assert (other.folder / UNIT).read_text() == "one"
    assert other.is_whole(UNIT)


def _release(root: SharedRoot, run_id: str, name: str) -> Release:
    """What a Pusher does in its task: it looks what there is, publishes on its own disk, and takes that to the root."""
    model = root.folder / "model"
    model.mkdir(parents=True, exist_ok=True)
    (model / "saved_model.pb").write_text(name)
    store = ReleaseStore(root.folder / "releases", "m")
    blessing = Blessing(blessed=True, failures=())
    release = store.publish(model, Provenance(pipeline="p", run_id=run_id, blessing=blessing))
    store.retain(2, protected=[release.version])
    return release


def _served(**labels: int) -> bytes:
    config = with_model(ModelServerConfig(), "m", "/models/m", labels=labels, versions=None)
    return text_format.MessageToString(config).encode()


def test_a_version_with_a_label_is_not_retired(root: SharedRoot, tmp_path: Path) -> None:
    def versions() -> list[str]:
        return sorted(name.split("/")[2] for name in root.store.list("releases/m/") if name.endswith("saved_model.pb"))

    for number in range(1, 6):
        task = SharedRoot(tmp_path / f"task-{number}", root.url)
        pusher = NodeFiles(task, f"run-{number}", "Pusher")
        pusher.prepare("Pusher")
        _release(task, f"run-{number}", f"model {number}")
        if number == 4:  # while a task is at work that will retire version 2
            root.store.put("releases/models.config", _served(stable=1, canary=2))
        pusher.take("Pusher", [], "")
        if number == 2:
            root.store.put("releases/models.config", _served(stable=1))
    assert versions() == ["1", "2", "4", "5"]  # 3 had none


def test_the_version_that_a_rollback_goes_back_to_is_not_retired(root: SharedRoot, tmp_path: Path) -> None:
    log = [
        AuditEntry.model_validate(
            {
                "time": "2026-11-25T01:00:00Z", "action": "promote", "label": "stable", "from": before, "to": after,
                "labels": {"stable": after}, "who": "me", "host": "here",
            }
        )
        for before, after in ((None, 1), (1, 3))
    ]  # fmt: skip
    for number in range(1, 5):
        task = SharedRoot(tmp_path / f"task-{number}", root.url)
        pusher = NodeFiles(task, f"run-{number}", "Pusher")
        if number == 3:
            lines = "".join(f"{entry.model_dump_json(by_alias=True)}\n" for entry in log)
            root.store.put("releases/m/audit.jsonl", lines.encode())
        pusher.prepare("Pusher")
        _release(task, f"run-{number}", f"model {number}")
        pusher.take("Pusher", [], "")
    kept = {name.split("/")[2] for name in root.store.list("releases/m/") if name.endswith("saved_model.pb")}
    assert kept == {"1", "3", "4"}


def test_releases_are_numbered_across_disks_and_retired_in_the_root(root: SharedRoot, tmp_path: Path) -> None:
    for number in (1, 2, 3):
        task = SharedRoot(tmp_path / f"task-{number}", root.url)
        pusher = NodeFiles(task, f"run-{number}", "Pusher")
        pusher.prepare("Pusher")
        assert _release(task, f"run-{number}", f"model {number}").version == number
        pusher.take("Pusher", [], "")
    names = {name for name in root.store.list("") if not name.startswith(".")}
    assert names == {f"releases/m/{n}/{file}" for n in (2, 3) for file in ("release.json", "saved_model.pb")}
    assert root.store.get("releases/m/3/saved_model.pb") == b"model 3"


def test_of_two_pushers_with_one_number_the_second_is_told_and_gets_the_next(
    root: SharedRoot, other: SharedRoot
) -> None:
    first, second = NodeFiles(root, "run-1", "Pusher"), NodeFiles(other, "run-2", "Pusher")
    for files in (first, second):
        files.prepare("Pusher")
    _release(root, "run-1", "one")
    _release(other, "run-2", "two")
    first.take("Pusher", [], "")
    with pytest.raises(ReleaseError, match="Another run is releasing this version"):
        second.take("Pusher", [], "")

    retried = SharedRoot(other.folder.with_name("again"), root.url)
    files = NodeFiles(retried, "run-2", "Pusher")
    files.prepare("Pusher")
    assert _release(retried, "run-2", "two").version == 2
    files.take("Pusher", [], "")
    assert root.store.get("releases/m/1/saved_model.pb") == b"one"


def test_a_release_that_was_not_taken_whole_is_taken_again_by_its_run_only(root: SharedRoot, tmp_path: Path) -> None:
    root.claim("releases/m/1", "run-1")
    root.store.put("releases/m/1/saved_model.pb", b"half")
    versions = {}
    for run_id in ("run-1", "run-2"):
        task = SharedRoot(tmp_path / run_id, root.url)
        NodeFiles(task, run_id, "Pusher").prepare("Pusher")
        versions[run_id] = _release(task, run_id, "whole").version
    assert versions == {"run-1": 1, "run-2": 2}


def _settings(url: str) -> Settings:
    return on_kfp("taxi", "output_dir=/srv/taxi", f"kubeflow.root={url}")


def test_check_tries_the_root_and_leaves_nothing(root: SharedRoot) -> None:
    assert list(root_findings(_settings(root.url))) == []
    assert root.store.list("") == {}


def test_check_tells_of_a_bucket_that_is_not_there(bucket: str) -> None:
    (finding,) = root_findings(_settings(f"{bucket}-elsewhere/x"))
    assert (finding.severity, finding.where) == ("error", "kubeflow.root")
    assert "elsewhere" in finding.received
