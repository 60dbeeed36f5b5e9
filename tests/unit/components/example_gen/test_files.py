"""The files of a path, and the error where there are none."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from components.example_gen.files import list_files
from schemas.errors import DataError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("b.csv", "a.csv", "c.CSV.gz", "notes.txt", ".hidden.csv"):
        (tmp_path / name).write_text("a\n1\n")
    (tmp_path / "sub.csv").mkdir()
    return tmp_path


def test_file(folder: Path) -> None:
    assert list_files(f"{folder}/notes.txt") == (f"{folder}/notes.txt",)


def test_folder_gives_its_csv_files_in_order(folder: Path) -> None:
    assert list_files(str(folder)) == tuple(f"{folder}/{name}" for name in ("a.csv", "b.csv", "c.CSV.gz"))


def test_glob(folder: Path) -> None:
    assert list_files(f"{folder}/[ab].csv") == (f"{folder}/a.csv", f"{folder}/b.csv")


def test_file_whose_name_looks_like_a_glob(tmp_path: Path) -> None:
    (tmp_path / "a[1].csv").write_text("a\n1\n")
    assert list_files(f"{tmp_path}/a[1].csv") == (f"{tmp_path}/a[1].csv",)


def test_missing_file_names_the_nearest(folder: Path) -> None:
    with pytest.raises(DataError, match=r"(?s)no such file.*notes.tx\b.*Did you mean .*notes.txt\?"):
        list_files(f"{folder}/notes.tx")


def test_missing_folder_names_the_last_that_exists(folder: Path) -> None:
    with pytest.raises(DataError, match=rf"(?s)folder does not exist.*that exists is {folder}.*mean .*sub.csv\?"):
        list_files(f"{folder}/subb.csv/x/a.csv")


def test_folder_without_csv(tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_text("x")
    with pytest.raises(DataError, match=r"(?s)holds no CSV file.*holds a.parquet"):
        list_files(str(tmp_path))


def test_folder_of_tfrecords(tmp_path: Path) -> None:
    for name in ("b.tfrecord", "a.tfrecords.gz", "c.csv"):
        (tmp_path / name).write_bytes(b"")
    assert list_files(str(tmp_path), "tfrecord") == (f"{tmp_path}/a.tfrecords.gz", f"{tmp_path}/b.tfrecord")


def test_folder_without_tfrecords(folder: Path) -> None:
    with pytest.raises(DataError, match=r"(?s)holds no TFRecord file.*Put \*\.tfrecord, .* or \*\.tfrecords\.gz files"):
        list_files(str(folder), "tfrecord")


def test_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"(?s)holds no CSV file.*is empty"):
        list_files(str(tmp_path))


def test_glob_without_match(folder: Path) -> None:
    with pytest.raises(DataError, match=r"(?s)No file matches.*z\*.csv.*holds .*a.csv"):
        list_files(f"{folder}/z*.csv")


def test_dangling_link(tmp_path: Path) -> None:
    (tmp_path / "a.csv").symlink_to(tmp_path / "gone.csv")
    with pytest.raises(DataError, match=r"(?s)leads nowhere.*gone.csv"):
        list_files(f"{tmp_path}/a.csv")


def test_pipe_is_not_a_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.csv")
    with pytest.raises(DataError, match="not a regular file"):
        list_files(f"{tmp_path}/a.csv")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_unreadable_file(folder: Path) -> None:
    (folder / "a.csv").chmod(0)
    with pytest.raises(DataError, match="(?s)cannot be read: Permission denied.*a.csv"):
        list_files(str(folder))
