"""Buckets on servers of S3, and of Google Cloud Storage where fake-gcs-server is on the path, and their models."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from serving.server.manager import ModelManager
from serving.server.model_config import from_option
from tests.integration.buckets.managed import Manage
from tests.integration.buckets.served_bucket import ServedBucket, served_bucket
from tests.integration.command_server import CommandServer
from tests.tiny_models import half_plus


@pytest.fixture(scope="package")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """y = x / 2 + 2, with an asset in a folder below."""
    folder = half_plus(tmp_path_factory.mktemp("half") / "model", 2.0)
    (folder / "assets.extra").mkdir()
    (folder / "assets.extra/note").write_bytes(b"")
    return folder


@pytest.fixture(scope="package", params=["s3", "gs"])
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


@pytest.fixture(scope="package")
def commands(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CommandServer]:
    server = CommandServer(tmp_path_factory.mktemp("commands"), ["serving.model_server"])
    yield server
    server.close()
