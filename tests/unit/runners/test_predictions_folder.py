"""Predictions are handed over whole, and replace nothing but predictions."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from components.bulk_inferrer.manifest import MANIFEST, Manifest
from runners.predictions_folder import hand_over
from schemas.errors import RunError

FILE = "predictions-00000-of-00001.csv"


def made(folder: Path, text: str = "row_id\n") -> Path:
    folder.mkdir()
    (folder / FILE).write_text(text)
    files = {FILE: {"rows": 0, "sha256": hashlib.sha256(text.encode()).hexdigest()}}
    Manifest({}, {}, {}, {}, [], "serving_default", "csv", files).save(folder)
    return folder


def content(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir()}


def test_a_copy_is_handed_over(tmp_path: Path) -> None:
    source, target = made(tmp_path / "made"), tmp_path / "predictions" / "7"
    hand_over(source, target)
    assert content(target) == content(source)
    assert [path.name for path in target.parent.iterdir()] == ["7"]
    assert (target / FILE).stat().st_ino != (source / FILE).stat().st_ino


def test_earlier_predictions_are_replaced(tmp_path: Path) -> None:
    hand_over(made(tmp_path / "first", "row_id\n1\n"), tmp_path / "target")
    hand_over(made(tmp_path / "second", "row_id\n2\n"), tmp_path / "target")
    assert (tmp_path / "target" / FILE).read_text() == "row_id\n2\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["first", "second", "target"]


def test_an_empty_folder_is_filled(tmp_path: Path) -> None:
    (tmp_path / "target").mkdir()
    hand_over(made(tmp_path / "made"), tmp_path / "target")
    assert (tmp_path / "target" / MANIFEST).exists()


def test_other_files_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "target").mkdir()
    (tmp_path / "target" / "diary.txt").write_text("dear")
    with pytest.raises(RunError, match=r"(?s)something else.*diary.txt.*--out"):
        hand_over(made(tmp_path / "made"), tmp_path / "target")
    assert content(tmp_path / "target") == {"diary.txt": "dear"}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["made", "target"]


def test_what_a_killed_process_left_goes(tmp_path: Path) -> None:
    left = tmp_path / ".target.staging"
    left.mkdir()
    (left / FILE).write_text("ro")
    hand_over(made(tmp_path / "made"), tmp_path / "target")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["made", "target"]


def test_altered_predictions_are_not_handed_over(tmp_path: Path) -> None:
    source = made(tmp_path / "made")
    (source / FILE).write_text("row_id\n9\n")
    with pytest.raises(RunError, match=f"(?s)files were changed.*{FILE}"):
        hand_over(source, tmp_path / "target")
    assert not (tmp_path / "target").exists()
