"""Artifacts that one task takes to the root and another one brings."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from runners.kubeflow.root.object_store import CHUNK_BYTES
from runners.kubeflow.root.shared_root import SharedRoot
from schemas.artifact_contents import looks
from schemas.errors import RunError
from tests.integration.shared_root.artifact import UNIT, write


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


def test_a_single_file_is_a_folder_of_its_own(root: SharedRoot, other: SharedRoot) -> None:
    (root.folder / UNIT).parent.mkdir(parents=True)
    (root.folder / UNIT).write_text("one")
    (root.folder / f"{UNIT}0").mkdir()
    (root.folder / f"{UNIT}0/a").write_text("another's")
    root.take([UNIT, f"{UNIT}0"])
    other.bring([UNIT])
    assert (other.folder / UNIT).read_text() == "one"
    assert other.is_whole(UNIT)
