"""Copies on this machine's disk of versions from buckets."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from schemas.errors import ReleaseError
from serving.object_store.bucket_folder import BucketFolder
from serving.object_store.object_store import File
from serving.server.version_copies import VersionCopies, VersionCopy

VERSION = BucketFolder("s3", "models", "half/7")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Of temporary files."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("name", ["../stolen", "a/../../stolen", "/stolen", "a//b", "./a", "a\0b"])
def test_no_name_of_an_object_leads_out_of_the_folder(folder: Path, name: str) -> None:
    copy = VersionCopy(folder / "7", threading.Event())
    with pytest.raises(ReleaseError, match=r"(?s)no path in the folder of the version.*Where: s3://models/half/7/"):
        copy.bring(VERSION, [File(name, 1, "a"), File("saved_model.pb", 1, "b")])
    assert list(folder.iterdir()) == []


def test_what_is_no_model_is_not_copied(folder: Path) -> None:
    copy = VersionCopy(folder / "7", threading.Event())
    with pytest.raises(FileNotFoundError, match="SavedModel file does not exist at: s3://models/half/7/{saved_model"):
        copy.bring(VERSION, [File("variables/variables.index", 1, "a")])
    assert list(folder.iterdir()) == []


def test_at_the_servers_end_no_folder_is_made_any_more(folder: Path) -> None:
    ended = threading.Event()
    ended.set()
    copy = VersionCopy(folder / "7", ended)
    with pytest.raises(InterruptedError, match="The server ends"):
        copy.bring(VERSION, [File("assets.extra/note", 0, "a"), File("saved_model.pb", 0, "b")])
    assert list(folder.iterdir()) == [folder / "7"]
    assert list((folder / "7").iterdir()) == []


def test_where_there_is_no_folder_for_copies_that_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(folder / "gone"))
    copies = VersionCopies(threading.Event())
    with pytest.raises(ReleaseError, match=r"(?s)no folder for copies.*Where: .*/gone/scalable-tf-models-.*TMPDIR"):
        copies.new(VERSION)
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    assert copies.new(VERSION).path.parent.parent == folder


def test_what_a_server_left_that_was_killed_is_deleted_by_the_next(folder: Path) -> None:
    killed, living, next_one = (VersionCopies(threading.Event()) for _ in range(3))
    left = killed.new(VERSION).path.parent
    other = folder / "scalable-tf-models-of-nobody"
    other.mkdir()
    used = living.new(VERSION).path.parent
    assert left.is_dir()
    assert killed._lock is not None
    os.close(killed._lock)  # as the kernel does
    made = next_one.new(VERSION).path.parent
    assert {*folder.iterdir()} == {used, made, other}
    next_one.close()
    living.close()
    assert {*folder.iterdir()} == {other}
