"""Models in buckets: on a real server of S3, and of Google Cloud Storage where fake-gcs-server is on the path."""

from __future__ import annotations

import json
import logging
import os
import re
import shutil
import signal
import subprocess
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from google.protobuf import text_format
from tensorflow_serving.config.model_server_config_pb2 import ModelServerConfig

from schemas.errors import ReleaseError, ScalableTFError
from serving.blessing import Blessing
from serving.change_request import ChangeRequest
from serving.labels import Labels
from serving.model_server import ModelServer, ServerOptions
from serving.object_store import object_store
from serving.release import Provenance
from serving.releases import ReleaseStore
from serving.server import version_copies
from serving.server.manager import ModelManager
from serving.server.model_config import from_option, from_proto
from serving.server.request_error import RequestError
from tests.integration.command_server import CommandServer
from tests.integration.faulty_store import Fault
from tests.integration.serve_command import port, serve
from tests.integration.served_bucket import ServedBucket, served_bucket
from tests.tiny_models import half_plus

pytestmark = pytest.mark.slow

Manage = Callable[[str], ModelManager]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """y = x / 2 + 2, with an asset in a folder below."""
    folder = half_plus(tmp_path_factory.mktemp("half") / "model", 2.0)
    (folder / "assets.extra").mkdir()
    (folder / "assets.extra/note").write_bytes(b"")
    return folder


@pytest.fixture(scope="module", params=["s3", "gs"])
def store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedBucket]:
    with served_bucket(request.param, tmp_path_factory.mktemp("store")) as store:
        yield store


@pytest.fixture
def bucket(store: ServedBucket) -> Iterator[ServedBucket]:
    yield store
    store.fail(None)


@pytest.fixture
def copies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of temporary files."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path


@pytest.fixture
def manage(copies: Path) -> Iterator[Manage]:
    """A manager whose polls are the test's, of the model `half` at an address."""
    made: list[ModelManager] = []

    def make(url: str) -> ModelManager:
        manager = ModelManager([from_option(f"half={url}")], poll_seconds=0)
        made.append(manager)
        manager.poll()
        return manager

    yield make
    for manager in made:
        manager.close()
    assert list(copies.iterdir()) == []


def served(manager: ModelManager) -> int:
    with manager.lease("half") as servable:
        assert servable.run("serving_default", {"x": np.array([[2.0]], np.float32)})["y"].tolist() == [[3.0]]
        return servable.version


def held(copies: Path) -> list[str]:
    """Versions of which there are copies."""
    return sorted(path.name.partition("-")[2] for path in copies.glob("scalable-tf-models-*/*") if path.is_dir())


def test_versions_come_and_go_as_in_a_folder(bucket: ServedBucket, model: Path, manage: Manage, copies: Path) -> None:
    bucket.copy(model, "come/half/1")
    bucket.put("come/half/notes/2", b"no version")
    bucket.put("come/half/3", b"no version")
    manager = manage(bucket.url("come/half"))
    assert served(manager) == 1
    names = bucket.copy(model, "come/half/0002")
    manager.poll()
    assert (served(manager), held(copies)) == (2, ["0002"])
    (copy,) = copies.glob("*/*-0002")
    assert {path.relative_to(copy): path.read_bytes() for path in copy.rglob("*") if path.is_file()} == {
        path.relative_to(model): path.read_bytes() for path in model.rglob("*") if path.is_file()
    }
    for name in names:
        bucket.delete(name)
    manager.poll()
    assert (served(manager), held(copies)) == (1, ["1"])
    assert [(state.version, state.state) for state in manager.states("half")] == [(2, "END"), (1, "AVAILABLE")]


def test_a_poll_is_one_request(bucket: ServedBucket, model: Path, manage: Manage) -> None:
    bucket.copy(model, "one/half/1")
    manager = manage(bucket.url("one/half"))
    bucket.requests.clear()
    manager.poll()
    assert len(bucket.requests) == 1
    bucket.put("one/half/2/saved_model.pb", b"no model")
    manager.poll()
    bucket.requests.clear()
    manager.poll()  # and one for each version that could not be loaded
    assert len(bucket.requests) == 2


def test_a_version_that_is_half_there_takes_no_good_one_down(
    bucket: ServedBucket, model: Path, manage: Manage, copies: Path
) -> None:
    bucket.copy(model, "half/half/1")
    manager = manage(bucket.url("half/half"))
    bucket.put("half/half/2/assets.extra/", b"")  # some tools write such for folders
    for number, path in enumerate(path for path in sorted(model.rglob("*")) if path.is_file()):
        (newest, *_) = manager.states("half")
        assert (served(manager), newest.state) == (1, "AVAILABLE" if number == 0 else "END")
        assert number == 0 or bucket.url("half/half/2") in newest.error_message
        bucket.put(f"half/half/2/{path.relative_to(model)}", path.read_bytes())
        bucket.requests.clear()
        manager.poll()
        assert len(bucket.read()) == (0 if number == 0 else 1)  # no file twice
    assert (served(manager), held(copies)) == (2, ["2"])


def test_a_broken_version_is_copied_once_and_goes_with_a_better_one(
    bucket: ServedBucket, model: Path, manage: Manage, copies: Path
) -> None:
    bucket.copy(model, "broken/half/1")
    bucket.copy(model, "broken/half/2")
    bucket.put("broken/half/2/saved_model.pb", b"no model")
    manager = manage(bucket.url("broken/half"))
    assert (served(manager), held(copies)) == (1, ["1", "2"])
    bucket.requests.clear()
    manager.reload([from_option(f"half={bucket.url('broken/half')}")])  # tries again at once
    assert (len(bucket.requests), bucket.read()) == (3, [])
    bucket.copy(model, "broken/half/3")
    manager.poll()
    assert (served(manager), held(copies)) == (3, ["3"])
    assert "gs://" in manager.states("half")[1].error_message or "s3://" in manager.states("half")[1].error_message


def test_what_serves_goes_on_while_the_store_is_away(
    bucket: ServedBucket, model: Path, manage: Manage, caplog: pytest.LogCaptureFixture
) -> None:
    bucket.copy(model, "away/half/1")
    manager = manage(bucket.url("away/half"))
    bucket.copy(model, "away/half/2")
    bucket.fail("unanswered")
    with caplog.at_level(logging.INFO):
        manager.poll()
        assert served(manager) == 1
        bucket.fail("SlowDown")
        manager.poll()
    assert served(manager) == 1
    (record,) = caplog.records
    assert "The versions of model half cannot be listed: " in record.getMessage()
    assert "does not answer" in record.getMessage()
    bucket.fail(None)
    manager.poll()
    assert served(manager) == 2


def test_a_copy_that_is_cut_off_is_tried_again(bucket: ServedBucket, model: Path, manage: Manage) -> None:
    bucket.copy(model, "cut/half/1")
    bucket.proxy.fault = lambda method, path: "cut" if "variables.data" in path else None
    manager = manage(bucket.url("cut/half"))
    (state,) = manager.states("half")
    assert (state.state, state.error_code) == ("END", "UNAVAILABLE")
    bucket.fail(None)
    manager.reload([from_option(f"half={bucket.url('cut/half')}")])
    assert served(manager) == 1


def test_a_copy_that_is_cut_off_once_goes_on_where_it_was(
    bucket: ServedBucket, model: Path, manage: Manage, copies: Path
) -> None:
    large = os.urandom(1 << 20)
    bucket.copy(model, "once/half/1")
    bucket.put("once/half/1/assets.extra/large", large)
    faults: Iterator[Fault] = iter(["cut"])
    bucket.proxy.fault = lambda method, path: next(faults, None) if "large" in path else None
    manager = manage(bucket.url("once/half"))
    assert served(manager) == 1
    (copy,) = copies.glob("*/1-1/assets.extra/large")
    assert copy.read_bytes() == large
    assert next(faults, None) is None


def test_a_prefix_without_objects_is_an_empty_folder(bucket: ServedBucket, model: Path, manage: Manage) -> None:
    manager = manage(bucket.url("empty/half"))
    with pytest.raises(RequestError, match=r"Servable not found for request: Latest\(half\)"):
        served(manager)
    bucket.copy(model, "empty/half/1")
    manager.poll()
    assert served(manager) == 1


def test_a_version_that_comes_back_while_it_is_used_gets_a_copy_of_its_own(
    bucket: ServedBucket, model: Path, manage: Manage, copies: Path
) -> None:
    bucket.copy(model, "again/half/1")
    names = bucket.copy(model, "again/half/2")
    manager = manage(bucket.url("again/half"))
    with manager.lease("half") as servable:
        assert servable.version == 2
        for name in names:
            bucket.delete(name)
        manager.poll()
        bucket.copy(model, "again/half/2")
        manager.poll()
        assert (served(manager), held(copies)) == (2, ["2", "2"])
    assert held(copies) == ["2"]


def test_several_buckets_are_looked_at_at_once(bucket: ServedBucket, model: Path, manage: Manage) -> None:
    bucket.copy(model, "several/half/1")
    bucket.copy(model, "several/other/3")
    manager = manage(bucket.url("several/half"))
    options = ("half", "half"), ("other", "other"), ("none", "nothing")
    with pytest.raises(RequestError, match="none} due to error: there is none of its versions in .*/several/nothing"):
        manager.reload([from_option(f"{name}={bucket.url(f'several/{folder}')}") for name, folder in options])
    assert [manager.states(name)[0].version for name in ("half", "other")] == [1, 3]
    bucket.requests.clear()
    manager.poll()
    assert len(bucket.requests) == 3


def test_a_reload_goes_from_a_folder_to_a_bucket_and_back(
    bucket: ServedBucket, model: Path, manage: Manage, copies: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("local")
    shutil.copytree(model, folder / "1")
    bucket.copy(model, "reload/half/1")
    manager = manage(str(folder))

    def reload(base_path: str) -> None:
        text = f'config {{ name: "half" base_path: "{base_path}" model_platform: "tensorflow" }}'
        config = text_format.Parse(f"model_config_list {{ {text} }}", ModelServerConfig())
        manager.reload(from_proto(config, strict=True))

    reload(bucket.url("reload/half/"))
    assert (served(manager), held(copies)) == (1, ["1"])
    with pytest.raises(RequestError, match="Could not find base path .*no-such-bucket/half for servable half: "):
        reload(f"{bucket.scheme}://no-such-bucket/half")
    assert served(manager) == 1
    reload(str(folder))
    assert (served(manager), held(copies)) == (1, [])


@pytest.fixture
def small_disk(copies: Path) -> Iterator[Path]:
    """A disk of 64 KiB for temporary files."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount a small disk")
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(copies)], capture_output=True, text=True
    )
    if mounted.returncode:
        pytest.skip(f"no disk can be mounted here: {mounted.stderr.strip()}")
    yield copies
    subprocess.run(["umount", str(copies)], check=True)


@pytest.mark.parametrize("kept_free", [16 << 20, -(1 << 30)], ids=["before", "while it is copied"])
def test_a_full_disk_takes_no_good_version_down(
    bucket: ServedBucket,
    model: Path,
    small_disk: Path,
    manage: Manage,
    kept_free: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    name = f"disk{kept_free}/half"
    monkeypatch.setattr(version_copies, "_KEEP_FREE", -(1 << 30))
    bucket.copy(model, f"{name}/1")
    manager = manage(bucket.url(name))
    monkeypatch.setattr(version_copies, "_KEEP_FREE", kept_free)
    bucket.put(f"{name}/2/assets.extra/large", bytes(1 << 20))
    bucket.copy(model, f"{name}/2")
    manager.poll()
    assert (served(manager), held(small_disk)) == (1, ["1"])
    message = manager.states("half")[0].error_message
    assert message.startswith(f"There is no room on the disk for a copy of the version.\n  Where: {small_disk}/")
    assert re.search(
        r"Received: 1,0\d\d,\d\d\d bytes of .*/half/2: .*\n  Fix: Make room there, or let .* TMPDIR", message
    )
    subprocess.run(["mount", "-o", "remount,size=64m", str(small_disk)], check=True)
    manager.reload([from_option(f"half={bucket.url(name)}")])
    assert served(manager) == 2


def test_a_bucket_that_is_not_there_is_told_at_the_start(bucket: ServedBucket) -> None:
    with pytest.raises(ReleaseError, match="(?s)There is no such bucket.*Where: .*://no-such-bucket/half.*Fix: "):
        _start(f"{bucket.scheme}://no-such-bucket/half")


def test_credentials_that_are_missing_or_wrong_are_told_at_the_start(
    bucket: ServedBucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    if bucket.scheme == "gs":
        monkeypatch.delenv("STORAGE_EMULATOR_HOST")
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "/missing/key.json")
    else:
        bucket.fail("ExpiredToken")
        with pytest.raises(ReleaseError, match="(?s)S3 does not accept the credentials.*Fix: Set AWS_ACCESS_KEY_ID"):
            _start(bucket.url("half"))
        monkeypatch.delenv("AWS_ACCESS_KEY_ID")
        monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    object_store._store.cache_clear()
    try:
        with pytest.raises(ScalableTFError, match="(?s)There are no credentials for .*Received: .*Fix: Set "):
            _start(bucket.url("half"))
    finally:
        object_store._store.cache_clear()


def test_the_command_serves_the_labels_beside_the_folder(
    bucket: ServedBucket,
    model: Path,
    commands: CommandServer,
    tmp_path: Path,
) -> None:
    releases = tmp_path / "releases"
    store = ReleaseStore(releases, "half")
    other = shutil.copytree(model, tmp_path / "other")
    (other / "assets.extra/note").write_text("another one")
    for number, source in enumerate((model, other), start=1):
        store.publish(source, Provenance(pipeline="half", run_id=f"run-{number}", blessing=Blessing(blessed=True)))
    labels = Labels(releases, "half")
    labels.promote(2, ChangeRequest("ann", "vm"))
    labels.rollback(ChangeRequest("ann", "vm"), to=1)
    bucket.copy(releases, "command")
    temporary = Path(os.environ["TMPDIR"])
    with serve(commands, f"--model=half={bucket.url('command/half')}", **bucket.environ) as command:
        rest = f"http://127.0.0.1:{port(command, 'REST')}/v1/models/half"
        with urllib.request.urlopen(f"{rest}/labels/stable") as answer:
            (state,) = json.load(answer)["model_version_status"]
        assert (state["version"], state["state"]) == ("1", "AVAILABLE")
        assert f"half has the labels and versions that {bucket.url('command/models.config')} says" in command.text
        assert held(temporary) == ["1"]
        command.signal(signal.SIGTERM)
        assert command.wait() == 0, command.text
        assert held(temporary) == []


def _start(url: str) -> None:
    ModelServer(ServerOptions(models=(from_option(f"half={url}"),), grpc_port=0, rest_port=0))
