"""Verification: each way in which a version may differ from its record is told, with the path."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from serving.release import Provenance
from serving.releases import ReleaseStore
from serving.verification import verify


@pytest.fixture
def version(tmp_path: Path, source: Path, provenance: Callable[..., Provenance]) -> Path:
    store = ReleaseStore(tmp_path / "releases", "taxi")
    store.publish(source, provenance())
    return store.directory / "1"


def found(version: Path, number: int = 1) -> list[tuple[str, str]]:
    return [(fault.path, fault.kind) for fault in verify(version, number)]


def test_what_was_released_has_no_faults(version: Path) -> None:
    assert verify(version, 1) == ()


def test_a_changed_byte_is_told_with_the_path(version: Path) -> None:
    (version / "variables/variables.index").write_bytes(b"indeX")
    (fault,) = verify(version, 1)
    assert fault.message == "variables/variables.index was changed"


def test_missing_and_added_files_are_told(version: Path) -> None:
    (version / "saved_model.pb").unlink()
    (version / "assets.extra").mkdir()
    (version / "assets.extra/notes").touch()
    assert found(version) == [("saved_model.pb", "missing"), ("assets.extra/notes", "added")]


def test_a_record_that_was_changed_with_a_file_is_told(version: Path) -> None:
    record = version / "release.json"
    checksum = record.read_text().split('"saved_model.pb": "')[1][:64]
    record.write_text(record.read_text().replace(checksum, "0" * 64))
    assert found(version) == [("release.json", "changed")]


def test_a_record_that_cannot_be_read_is_told(version: Path) -> None:
    (version / "release.json").write_text("{")
    assert found(version) == [("release.json", "unreadable")]


def test_a_copy_of_another_version_is_told(version: Path) -> None:
    copy = shutil.copytree(version, version.with_name("2"))
    assert found(copy, 2) == [("release.json", "changed")]


def test_a_link_that_leads_nowhere_is_told(version: Path) -> None:
    (version / "assets/words").symlink_to("gone")
    ((path, kind),) = found(version)
    assert path.endswith("assets/words")
    assert kind == "unreadable"
