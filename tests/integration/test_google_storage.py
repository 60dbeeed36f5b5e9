"""Data on Google Cloud Storage, against fake-gcs-server where it is on the path (a Go program of that name)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from google.cloud import storage

from components.example_gen import remote_store
from components.example_gen.data_files import open_data
from components.example_gen.fingerprint import fingerprint
from components.example_gen.inputs import find_place, split_path
from schemas.errors import DataError
from tests.integration.gs_server import gs_server

FILES = {
    "a.csv": b"fare,tips\n1,2\n",
    "spans/2024-01-01/0.csv": b"a\n1\n",
    "spans/2024-01-03/0.csv": b"a\n1\n",
    "large": b"0123456789" * 500_000,
}


@pytest.fixture(scope="module")
def bucket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[storage.Bucket]:
    with gs_server(tmp_path_factory.mktemp("gcs")) as url, pytest.MonkeyPatch.context() as patch:
        patch.setenv("STORAGE_EMULATOR_HOST", url)
        remote_store._store.cache_clear()
        made = storage.Client(project="any").create_bucket("rows")
        for name, content in FILES.items():
            made.blob(name).upload_from_string(content)
        yield made
        remote_store._store.cache_clear()


def _files(path: str) -> tuple[str, ...]:
    return find_place(*split_path(path)).files


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("gs://rows/a.csv", ["a.csv"]),
        ("gs://rows", ["a.csv"]),
        ("gs://rows/spans/*/*.csv", ["spans/2024-01-01/0.csv", "spans/2024-01-03/0.csv"]),
        ("gs://rows/spans/{YYYY}-{MM}-{DD}", ["spans/2024-01-03/0.csv"]),
    ],
)
def test_files_folders_globs_and_spans(bucket: storage.Bucket, path: str, found: list[str]) -> None:
    assert _files(path) == tuple(f"gs://{bucket.name}/{name}" for name in found)


def test_ranges(bucket: storage.Bucket) -> None:
    with open_data(f"gs://{bucket.name}/large") as file:
        file.seek(3_000_003)
        assert file.read(5) == b"34567"
        file.seek(0)
        assert file.read() == FILES["large"]


def test_the_fingerprint_follows_the_content(bucket: storage.Bucket) -> None:
    bucket.blob("one").upload_from_string(b"a")
    first = fingerprint(["gs://rows/one"])
    assert fingerprint(["gs://rows/one"]) == first
    bucket.blob("one").upload_from_string(b"b")
    assert fingerprint(["gs://rows/one"]) != first


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("gs://rows/b.csv", r"(?s)There is no such file.*Did you mean gs://rows/a.csv\?"),
        ("gs://no-such-bucket/a.csv", "There is no such bucket"),
        ("gs://rows/spans", r"(?s)holds no CSV file.*holds 2024-01-01, 2024-01-03"),
    ],
)
def test_what_is_not_there_is_told(bucket: storage.Bucket, path: str, told: str) -> None:
    with pytest.raises(DataError, match=told):
        _files(path)
