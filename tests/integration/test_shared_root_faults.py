"""A shared pipeline root on a server of S3 that is busy, hangs up, or does not know the keys any more."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from runners.kubeflow import node_task
from runners.kubeflow.root import node_files, object_store
from runners.kubeflow.root.node_files import NodeFiles
from runners.kubeflow.root.object_store import CHUNK_BYTES, Stat
from runners.kubeflow.root.run_files import RunFiles
from runners.kubeflow.root.shared_root import SharedRoot
from runners.kubeflow.root.transfers import transfer_all
from runners.kubeflow.root.unit_names import MANIFESTS
from schemas.errors import RunError
from tests.integration.faulty_store import Fault, FaultyStore, faulty_store
from tests.integration.s3_server import S3Server, s3_server

pytestmark = pytest.mark.slow  # what is tried again waits before

UNIT = "artifacts/Trainer/model/7"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    with s3_server(tmp_path_factory.mktemp("server")) as server:
        server.client.create_bucket(Bucket="pipelines")
        yield server


@pytest.fixture
def faulty(server: S3Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultyStore]:
    with faulty_store(server.url) as faulty:
        for name, value in {**server.environ, "AWS_ENDPOINT_URL": faulty.url}.items():
            monkeypatch.setenv(name, value)
        object_store._store.cache_clear()
        yield faulty
        object_store._store.cache_clear()


@pytest.fixture
def root(faulty: FaultyStore, tmp_path: Path) -> SharedRoot:
    root = SharedRoot(tmp_path / "here", f"s3://pipelines/{tmp_path.name}")
    (root.folder / UNIT).mkdir(parents=True)
    return root


@pytest.fixture
def other(root: SharedRoot, tmp_path: Path) -> SharedRoot:
    return SharedRoot(tmp_path / "there", root.url)


@pytest.mark.parametrize("fault", ["SlowDown", "cut"])
def test_what_is_refused_once_is_tried_again(
    faulty: FaultyStore, root: SharedRoot, other: SharedRoot, fault: Fault
) -> None:
    (root.folder / UNIT / "a").write_bytes(os.urandom(1 << 20))
    faulty.first(1, fault, "PUT")
    root.take([UNIT])
    faulty.first(1, fault, "GET")
    other.bring([UNIT])
    assert (other.folder / UNIT / "a").read_bytes() == (root.folder / UNIT / "a").read_bytes()
    faulty.first(1, fault, "POST")
    root.forget(UNIT)
    assert faulty.requests == ["POST"]
    assert root.store.list("") == {}


@pytest.mark.parametrize(("refused", "times"), [("/logs/", 99), ("/artifacts/", 1)])
def test_checkpoints_are_kept_whatever_becomes_of_the_log(
    refused: str, times: int, faulty: FaultyStore, root: SharedRoot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(node_files, "_PAUSES_AT_THE_END", (0,))
    working = "artifacts/Trainer/.system/stateful_working_dir/run-1"
    for name in (f"{working}/checkpoint", "logs/run-1/Trainer.log"):
        (root.folder / name).parent.mkdir(parents=True)
        (root.folder / name).write_text(name)
    faulty.fault = lambda method, path: (
        "ExpiredToken" if method == "PUT" and refused in path and len(faulty.requests) < times else None
    )
    taken = node_task._taken(RunFiles(root, "run-1"), NodeFiles(root, "run-1", "Trainer"))
    with pytest.raises(KeyboardInterrupt), taken:
        raise KeyboardInterrupt
    assert root.is_whole(working)
    assert ("logs/run-1/Trainer.log" in root.store.list("logs/")) == (times == 1)


@pytest.mark.parametrize("size", [1 << 20, 2 * CHUNK_BYTES])
def test_an_upload_that_is_cut_off_is_nothing(
    faulty: FaultyStore, root: SharedRoot, server: S3Server, size: int
) -> None:
    (root.folder / UNIT / "a").write_bytes(bytes(size))
    last = "partNumber=2" if size > CHUNK_BYTES else ""
    faulty.fault = lambda method, path: "cut" if method == "PUT" and last in path else None
    with pytest.raises(RunError, match="The shared pipeline root cannot be used"):
        root.take([UNIT])
    assert root.store.list("") == {}
    # Parts that nobody puts together would be paid for.
    assert server.client.list_multipart_uploads(Bucket="pipelines").get("Uploads", []) == []


def test_keys_that_expire_meanwhile_are_told_at_once(faulty: FaultyStore, root: SharedRoot) -> None:
    (root.folder / UNIT / "a").write_text("one")
    faulty.first(9, "ExpiredToken", "PUT")
    with pytest.raises(RunError) as caught:
        root.take([UNIT])
    assert faulty.requests == ["PUT"]
    assert "ExpiredToken" in str(caught.value.received)
    assert "AWS_SECRET_ACCESS_KEY" in str(caught.value.fix)


def test_a_file_that_is_still_written_is_not_taken(root: SharedRoot, monkeypatch: pytest.MonkeyPatch) -> None:
    file = root.folder / UNIT / "a"
    file.write_text("half")
    upload = root.store.upload

    def write_on(path: Path, name: str) -> None:
        file.write_text("the whole")
        upload(path, name)

    monkeypatch.setattr(root.store, "upload", write_on)
    with pytest.raises(RunError, match="does not have what was just written"):
        root.take([UNIT])
    assert root.store.list(f"{MANIFESTS}/") == {}


def test_names_of_any_letters_go_there_and_back(root: SharedRoot, other: SharedRoot) -> None:
    names = ["a b", "a+b", "100%", "%20", "ü/日本 語", "x&y<z>'\"", "~#?=;,"]
    for name in names:
        file = root.folder / UNIT / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(name)
    root.take([UNIT])
    other.bring([UNIT])
    assert [(other.folder / UNIT / name).read_text() for name in names] == names
    root.forget(UNIT)
    assert root.store.list("") == {}


def test_a_root_may_be_a_bucket(faulty: FaultyStore, server: S3Server, tmp_path: Path) -> None:
    server.client.create_bucket(Bucket="alone")
    root = SharedRoot(tmp_path / "here", "s3://alone")
    (root.folder / UNIT).mkdir(parents=True)
    (root.folder / UNIT / "a").write_text("one")
    root.take([UNIT])
    listed = server.client.list_objects_v2(Bucket="alone")["Contents"]
    assert [each["Key"] for each in listed] == [f"{MANIFESTS}/{UNIT}.json", f"{UNIT}/a"]
    assert root.units("artifacts") == [UNIT]
    assert root.is_whole(UNIT)


def test_more_objects_than_a_server_lists_or_deletes_at_once(root: SharedRoot, server: S3Server) -> None:
    prefix = root.url.removeprefix("s3://pipelines/")
    put = partial(server.client.put_object, Bucket="pipelines", Body=b"1")
    transfer_all([partial(put, Key=f"{prefix}/many/{number}") for number in range(1001)])
    found = root.store.list("many/")
    assert {stat.size for stat in found.values()} == {1}
    assert len(found) == 1001
    root.store.delete(found)
    assert root.store.list("many/") == dict[str, Stat]()
