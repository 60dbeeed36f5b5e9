"""Versions of models in buckets come and go as in folders."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from google.protobuf import text_format
from tensorflow_serving.config.model_server_config_pb2 import ModelServerConfig

from serving.server.model_config import from_option, from_proto
from serving.server.request_error import RequestError
from tests.integration.buckets.managed import Manage, held, served
from tests.integration.buckets.served_bucket import ServedBucket

pytestmark = pytest.mark.slow


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
