"""What changes the fingerprint of files, and what does not."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from components.example_gen import fingerprint as module
from components.example_gen.fingerprint import fingerprint


def _file(path: Path, content: bytes) -> str:
    path.write_bytes(content)
    return str(path)


def test_changed_content_of_equal_size_and_time(tmp_path: Path) -> None:
    path = _file(tmp_path / "a.csv", b"a\n1\n")
    os.utime(path, ns=(0, 0))
    before = fingerprint([path])
    _file(tmp_path / "a.csv", b"a\n2\n")
    os.utime(path, ns=(0, 0))
    assert fingerprint([path]) != before


def test_touched_or_copied_file_is_the_same(tmp_path: Path) -> None:
    path = _file(tmp_path / "a.csv", b"a\n1\n")
    before = fingerprint([path])
    os.utime(path, ns=(0, 0))
    (tmp_path / "copy").mkdir()
    assert fingerprint([path]) == before
    assert fingerprint([_file(tmp_path / "copy" / "a.csv", b"a\n1\n")]) == before


def test_rows_moved_from_file_to_file(tmp_path: Path) -> None:
    one = [_file(tmp_path / "a.csv", b"ab"), _file(tmp_path / "b.csv", b"c")]
    before = fingerprint(one)
    assert fingerprint([_file(tmp_path / "a.csv", b"a"), _file(tmp_path / "b.csv", b"bc")]) != before


def test_large_file_is_known_by_its_ends_and_its_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WHOLE_BYTES", 1 << 20)
    path = _file(tmp_path / "a.csv", b"x" * (3 << 20))
    before = fingerprint([path])
    assert fingerprint([path]) == before
    os.utime(path, ns=(0, 1))
    assert fingerprint([path]) != before
