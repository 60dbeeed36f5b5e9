from __future__ import annotations

from pathlib import Path

from runners.commands.watched_file import WatchedFile


def test_a_change_is_told_once_and_again_when_it_did_not_work_out(tmp_path: Path) -> None:
    path = tmp_path / "models"
    path.write_text("one")
    file = WatchedFile(path, 1e-9)
    assert not file.changed()
    path.write_text("two")
    assert (file.changed(), file.changed()) == (True, False)
    file.forget()
    assert (file.changed(), file.changed()) == (True, False)
    path.unlink()
    assert file.changed()


def test_a_file_is_not_looked_at_before_its_time_or_without_one(tmp_path: Path) -> None:
    path = tmp_path / "models"
    files = WatchedFile(path, 3600.0), WatchedFile(path, 0.0), WatchedFile(None, 1e-9)
    path.write_text("one")
    assert not any(file.changed() for file in files)
