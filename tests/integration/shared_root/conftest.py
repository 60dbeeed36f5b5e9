"""A shared pipeline root on real servers: of S3, and of Google Cloud Storage where fake-gcs-server is on the path."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from runners.kubeflow.root import object_store
from runners.kubeflow.root.shared_root import SharedRoot
from tests.integration.gs_server import gs_server
from tests.integration.s3_server import s3_server


@pytest.fixture(scope="package", params=["s3", "gs"])
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


@pytest.fixture
def sent(root: SharedRoot) -> Iterator[list[str]]:
    """The names of what is uploaded, while it is looked at."""
    names: list[str] = []
    store = object_store.object_store(root.url)
    upload = store.upload
    store.upload = lambda file, name: (names.append(name), upload(file, name))[1]  # type: ignore[method-assign,func-returns-value]
    yield names
    del store.upload
