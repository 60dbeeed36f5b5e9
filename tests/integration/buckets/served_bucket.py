"""A bucket that a model server reads, on a real server of S3 or of Google Cloud Storage, behind a proxy."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from serving.object_store import object_store
from tests.integration.faulty_store import Fault, FaultyStore, faulty_store
from tests.integration.gs_server import gs_server
from tests.integration.s3_server import s3_server

BUCKET = "models"


@dataclass
class ServedBucket:
    """The bucket.

    Attributes:
        scheme: s3 or gs.
        put: writes an object.
        delete: deletes one.
        proxy: by which servers of models reach the bucket, and nobody else.
        environ: what those servers need.
        requests: their requests: method and path.
    """

    scheme: str
    put: Callable[[str, bytes], object]
    delete: Callable[[str], object]
    proxy: FaultyStore
    environ: Mapping[str, str]
    requests: list[str] = field(default_factory=list)

    def url(self, name: str) -> str:
        """Of a folder."""
        return f"{self.scheme}://{BUCKET}/{name}"

    def copy(self, folder: Path, name: str) -> list[str]:
        """Copies a folder file by file; the names of the objects."""
        names = []
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            names.append(f"{name}/{path.relative_to(folder)}")
            self.put(names[-1], path.read_bytes())
        return names

    def read(self) -> list[str]:
        """The requests for the content of objects."""
        return [request for request in self.requests if "prefix=" not in request]

    def fail(self, fault: Fault | None) -> None:
        """From now on all requests fail so; None: none does. Forgets those that there were."""
        self.requests.clear()

        def answer(method: str, path: str) -> Fault | None:
            self.requests.append(f"{method} {path}")
            return fault

        self.proxy.fault = answer


@contextlib.contextmanager
def served_bucket(scheme: str, folder: Path) -> Iterator[ServedBucket]:
    """A bucket on a running server, or a skip where there is none.

    Args:
        scheme: s3 or gs.
        folder: for logs.
    """
    with contextlib.ExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        if scheme == "s3":
            server = stack.enter_context(s3_server(folder))
            proxy = stack.enter_context(faulty_store(server.url))
            client = server.client
            client.create_bucket(Bucket=BUCKET)
            made = ServedBucket(
                scheme,
                lambda name, content: client.put_object(Bucket=BUCKET, Key=name, Body=content),
                lambda name: client.delete_object(Bucket=BUCKET, Key=name),
                proxy,
                {**server.environ, "AWS_ENDPOINT_URL": proxy.url},
            )
        else:
            url = stack.enter_context(gs_server(folder))
            proxy = stack.enter_context(faulty_store(url))
            from google.cloud import storage

            patch.setenv("STORAGE_EMULATOR_HOST", url)
            bucket = storage.Client(project="any").create_bucket(BUCKET)
            made = ServedBucket(
                scheme,
                lambda name, content: bucket.blob(name).upload_from_string(content),
                lambda name: bucket.blob(name).delete(),
                proxy,
                {"STORAGE_EMULATOR_HOST": proxy.url},
            )
        for name, value in made.environ.items():
            patch.setenv(name, value)
        object_store._store.cache_clear()
        made.fail(None)
        yield made
        object_store._store.cache_clear()
