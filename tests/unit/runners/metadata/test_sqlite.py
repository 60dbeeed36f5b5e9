"""SQLite stores that another program has locked or damaged."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from ml_metadata import MetadataStore
from ml_metadata.proto import metadata_store_pb2

from runners.metadata.backend import StoreUnreachableError
from runners.metadata.sqlite import SqliteBackend
from runners.metadata_store import SqliteMetadata
from schemas.errors import RunError

# In a process of its own: SQLite's locks do not hold within one.
_HOLD = """
import sqlite3, sys
opened = sqlite3.connect(sys.argv[1], isolation_level=None)
opened.execute("BEGIN EXCLUSIVE")
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def store(tmp_path: Path) -> Path:
    path = tmp_path / "metadata.sqlite"
    MetadataStore(SqliteBackend(path).config()).put_artifact_type(metadata_store_pb2.ArtifactType(name="T"))
    return path


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    process = subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with process:
        if process.stdin is None or process.stdout is None:
            raise AssertionError("they are pipes")
        assert process.stdout.readline() == "held\n"
        try:
            yield
        finally:
            process.stdin.close()


def _error(path: Path) -> RunError:
    before = path.read_bytes()
    with pytest.raises(RunError) as caught, SqliteMetadata(path, 0.0):
        pass
    assert path.read_bytes() == before
    assert str(path) in caught.value.where
    return caught.value


def test_a_store_opens_again_and_again(store: Path) -> None:
    connection = SqliteMetadata(store, 0.0)
    for _ in range(2):
        with connection as outer, connection as inner:
            assert inner.store is outer.store
            assert [found.name for found in inner.store.get_artifact_types()] == ["T"]


def test_a_store_that_is_not_there_is_made_with_its_folder(tmp_path: Path) -> None:
    with SqliteMetadata(tmp_path / "a" / "b.sqlite", 0.0) as connection:
        assert connection.store.get_artifact_types() == []


def test_a_lock_of_another_program(store: Path) -> None:
    with _locked(store):
        error = _error(store)
    assert isinstance(error, StoreUnreachableError)
    assert error.what == "The metadata store is locked by another program."
    assert f"fuser -v {store}" in error.fix
    with SqliteMetadata(store, 0.0) as connection:
        assert len(connection.store.get_artifact_types()) == 1


def test_a_file_that_is_no_database(store: Path) -> None:
    store.write_text("hello\n" * 100)
    error = _error(store)
    assert (error.what, error.received) == ("The metadata store is damaged.", "file is not a database")
    assert "move the file and <output_dir>/artifacts away" in error.fix


def test_a_file_that_was_cut_off(store: Path) -> None:
    os.truncate(store, 100_000)
    error = _error(store)
    assert error.what == "The metadata store is damaged."
    assert error.received == "the file has 100000 of 245760 bytes"


def test_a_page_that_was_overwritten_is_found_by_the_call_that_needs_it(store: Path) -> None:
    with store.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * 40 * 4096)
    with pytest.raises(RunError, match="The metadata store is damaged") as caught, SqliteMetadata(store, 0.0) as opened:
        opened.store.put_artifact_type(metadata_store_pb2.ArtifactType(name="U"))
    assert "malformed" in str(caught.value.received)


@pytest.mark.parametrize("version", [6, 99])
def test_a_store_of_another_version(store: Path, version: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runners.metadata.retrying_store.time.sleep", lambda seconds: None)  # it is opened eight times
    with closing(sqlite3.connect(store)) as opened, opened:
        opened.execute("UPDATE MLMDEnv SET schema_version = ?", (version,))
    error = _error(store)
    assert error.what == "The metadata store was made by another version of ML Metadata."
    assert f"MLMD database version {version} is" in str(error.received)


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(RunError, match="cannot be written to"), SqliteMetadata(tmp_path / "file" / "a.sqlite", 0.0):
        pass
