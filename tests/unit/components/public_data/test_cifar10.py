from __future__ import annotations

import zipfile
from collections import Counter
from pathlib import Path

import pytest
import tensorflow as tf

from components.public_data.cifar10 import CLASSES, prepare
from schemas.errors import DataError


def _archive(folder: Path, name: str, pictures: dict[str, bytes]) -> None:
    folder.mkdir(exist_ok=True)
    with zipfile.ZipFile(folder / name, "w") as archive:
        for picture, data in pictures.items():
            archive.writestr(picture, data)


def _rows(target: Path) -> list[tuple[str, bytes]]:
    found = []
    for path in sorted(target.iterdir()):
        for record in tf.data.TFRecordDataset(str(path), "GZIP").as_numpy_iterator():
            features = tf.train.Example.FromString(record).features.feature
            assert set(features) == {"image", "label"}
            found.append((features["label"].bytes_list.value[0].decode(), features["image"].bytes_list.value[0]))
    return found


def _prepared(folder: Path) -> list[tuple[str, bytes]]:
    (folder / "target").mkdir()
    prepare(folder / "cifar10", folder / "target")
    return _rows(folder / "target")


def test_pictures_of_all_archives_with_their_class(tmp_path: Path) -> None:
    _archive(tmp_path / "cifar10", "b_test.zip", {"test/dog/0000.png": b"dog"})
    _archive(
        tmp_path / "cifar10",
        "a_train.zip",
        {"train/": b"", "train/cat/0000.jpg": b"cat", "frog/1.JPG": b"frog", "labels.csv": b""},
    )
    assert _prepared(tmp_path) == [("cat", b"cat"), ("frog", b"frog"), ("dog", b"dog")]


@pytest.mark.parametrize("name", ["train/cow/0000.jpg", "cat.jpg"])
def test_another_class_is_refused(tmp_path: Path, name: str) -> None:
    _archive(tmp_path / "cifar10", "a.zip", {"train/cat/0000.jpg": b"cat", name: b""})
    with pytest.raises(DataError, match=f"(?s)a picture of none of the ten classes.*a.zip.*Received: {name}"):
        _prepared(tmp_path)


def test_damaged_archive(tmp_path: Path) -> None:
    _archive(tmp_path / "cifar10", "a.zip", {"train/cat/0000.jpg": b"cat" * 50})
    whole = (tmp_path / "cifar10/a.zip").read_bytes()
    (tmp_path / "cifar10/a.zip").write_bytes(whole[:60] + b"dog" + whole[63:])
    with pytest.raises(DataError, match="(?s)damaged.*a.zip"):
        _prepared(tmp_path)


def test_archive_without_pictures(tmp_path: Path) -> None:
    _archive(tmp_path / "cifar10", "a.zip", {})
    with pytest.raises(DataError, match="(?s)damaged, or holds none.*a.zip"):
        _prepared(tmp_path)


def test_no_archive(tmp_path: Path) -> None:
    (tmp_path / "cifar10").mkdir()
    with pytest.raises(DataError, match=r"(?s)archives of the data set are missing.*without \*.zip"):
        _prepared(tmp_path)


@pytest.mark.slow
def test_the_data_set(stf_data: Path, tmp_path: Path) -> None:
    prepare(stf_data / "cifar10", tmp_path)
    assert Counter(label for label, _ in _rows(tmp_path)) == dict.fromkeys(CLASSES, 2400)
