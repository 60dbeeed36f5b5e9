"""Ingestion of TFRecords: as of CSV, with every bad input refused and nothing left behind."""

from __future__ import annotations

import gzip
import os
from pathlib import Path
from typing import Any

import apache_beam as beam
import pytest
import tensorflow as tf

from components.example_gen.ingest import Ingested, Ingestion, ingest
from runners.inline import InlineRunner
from schemas.errors import DataError
from schemas.features import FeatureTable
from schemas.raw_columns import RawColumns

TABLE = FeatureTable.model_validate(
    {
        "features": {"image": {"kind": "image", "height": 1, "width": 1}, "size": {"kind": "numeric"}},
        "label": {"kind": "one_hot", "column": "label", "classes": ["cat", "dog"]},
    }
)


def _example(**features: bytes | int | float | None) -> bytes:
    made = tf.train.Example()
    for name, value in features.items():
        feature = made.features.feature[name]
        if isinstance(value, bytes):
            feature.bytes_list.value.append(value)
        elif isinstance(value, int):
            feature.int64_list.value.append(value)
        elif value is not None:
            feature.float_list.value.append(value)
    return made.SerializeToString(deterministic=True)


ROWS = [
    _example(image=b"\xff%d" % number, size=number, label=[b"cat", b"dog"][number % 2], id=number)
    for number in range(40)
]


def _ingest(folder: Path, *files: list[bytes] | bytes, table: FeatureTable = TABLE, **options: Any) -> Ingested:
    """Writes the records (or bytes) of each file and ingests them all to folder/out."""
    paths = []
    for index, content in enumerate(files):
        path = folder / f"{index}.tfrecord"
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            with tf.io.TFRecordWriter(str(path)) as writer:
                for record in content:
                    writer.write(record)
        paths.append(str(path))
    ingestion = Ingestion(RawColumns.of(table), {"train": 2, "eval": 1}, "tfrecord", **options)
    return ingest(paths, str(folder / "out"), ingestion, lambda: beam.Pipeline(runner=InlineRunner()))


def _read(folder: Path) -> list[tuple[str, bytes]]:
    """(split, record) in the order of the shards."""
    found = []
    for path in sorted(folder.glob("out/Split-*/*.gz")):
        split = path.parent.name.removeprefix("Split-")
        found += [(split, record) for record in tf.data.TFRecordDataset(str(path), "GZIP").as_numpy_iterator()]
    return found


def _refused(folder: Path, message: str, *files: list[bytes] | bytes, **options: Any) -> None:
    with pytest.raises(DataError, match="(?s)" + message):
        _ingest(folder, *files, **options)
    assert not (folder / "out").exists() or os.listdir(folder / "out") == []


def test_records_become_examples_of_the_columns_of_the_table(tmp_path: Path) -> None:
    done = _ingest(tmp_path, ROWS)
    assert sum(done.rows.values()) == 40
    assert done.types == {"image": "string", "size": "float", "label": "string"}
    expected = {_example(image=b"\xff0", size=0.0, label=b"cat"), _example(image=b"\xff1", size=1.0, label=b"dog")}
    found = [tf.train.Example.FromString(record) for _, record in _read(tmp_path)]
    small = [one for one in found if one.features.feature["size"].float_list.value[0] < 2]
    first = {one.SerializeToString(deterministic=True) for one in small}
    assert first == expected


def test_the_split_is_that_of_the_same_rows_as_csv(tmp_path: Path) -> None:
    table = FeatureTable.model_validate(
        {"features": {"n": {"kind": "numeric"}}, "label": {"kind": "integer", "column": "y", "classes": 2}}
    )
    (tmp_path / "csv").mkdir()
    (tmp_path / "csv/a.csv").write_text("n,y\n" + "".join(f"{n},{n % 2}\n" for n in range(40)))
    ingestion = Ingestion(RawColumns.of(table), {"train": 2, "eval": 1})
    make = lambda: beam.Pipeline(runner=InlineRunner())  # noqa: E731
    ingest([str(tmp_path / "csv/a.csv")], str(tmp_path / "csv/out"), ingestion, make)
    _ingest(tmp_path, [_example(n=float(n), y=n % 2, id=n) for n in range(40)], table=table)
    assert _read(tmp_path) == _read(tmp_path / "csv")


def test_a_feature_names_the_splits_and_is_not_kept(tmp_path: Path) -> None:
    folds = [b"train", b"eval", b"train", b"eval", b"train", b"train"]
    records = [_example(image=b"x", size=n, label=[b"cat", b"dog"][n // 2 % 2], fold=f) for n, f in enumerate(folds)]
    with tf.io.TFRecordWriter(str(tmp_path / "a.tfrecord")) as writer:
        for record in records:
            writer.write(record)
    ingestion = Ingestion(RawColumns.of(TABLE, "fold"), {"train": 1, "eval": 1}, "tfrecord")
    made = lambda: beam.Pipeline(runner=InlineRunner())  # noqa: E731
    assert ingest([str(tmp_path / "a.tfrecord")], str(tmp_path / "out"), ingestion, made).rows == {
        "train": 4,
        "eval": 2,
    }
    examples = [tf.train.Example.FromString(record).features.feature for _, record in _read(tmp_path)]
    assert [example["size"].float_list.value[0] for example in examples] == [1.0, 3.0, 0.0, 2.0, 4.0, 5.0]
    assert all("fold" not in example for example in examples)


def test_blocks_and_files_do_not_change_the_split(tmp_path: Path) -> None:
    for name in ("one", "many"):
        (tmp_path / name).mkdir()
    _ingest(tmp_path / "one", ROWS)
    done = _ingest(tmp_path / "many", ROWS[:15], [], ROWS[15:], block_bytes=300)
    assert len(list((tmp_path / "many/out/Split-train").iterdir())) > 2
    assert sorted(_read(tmp_path / "many")) == sorted(_read(tmp_path / "one"))
    assert sum(done.rows.values()) == 40


def test_unlabelled_records_are_counted_and_dropped(tmp_path: Path) -> None:
    done = _ingest(tmp_path, [*ROWS, _example(image=b"a"), _example(image=b"b", label=b"")], drop_unlabelled=True)
    assert (sum(done.rows.values()), done.dropped) == (40, 2)


def test_unlabelled_record(tmp_path: Path) -> None:
    _refused(tmp_path, "1 row has no label.*0.tfrecord, record 41", [*ROWS, _example(image=b"a")])


def test_unknown_class(tmp_path: Path) -> None:
    rows = [*ROWS, _example(image=b"a", label=b"dogs")]
    _refused(tmp_path, "none of the classes.*0.tfrecord, record 41.*Did you mean 'dog'", rows)


def test_feature_that_no_record_has(tmp_path: Path) -> None:
    rows = [_example(picture=b"a", size=1, label=b"cat"), _example(picture=b"b", size=1, label=b"dog")]
    message = "'image' is missing in all of 2 records; it is read by feature 'image'.*label, picture, size"
    _refused(tmp_path, message, rows)


def test_renamed_label(tmp_path: Path) -> None:
    rows = [_example(image=b"a", size=1, labels=b"cat")] * 3
    _refused(tmp_path, "'label' is missing in all of 3 records.*Is it 'labels'", rows)


def test_wrong_type_in_one_record(tmp_path: Path) -> None:
    rows = [*ROWS, _example(image=7, label=b"cat")]
    _refused(tmp_path, "must hold bytes.*0.tfrecord, record 41, feature 'image'.*int64 7", rows)


def test_not_an_example(tmp_path: Path) -> None:
    _refused(tmp_path, "not a tf.Example.*0.tfrecord, record 41", [*ROWS, b"nothing of this kind"])


@pytest.mark.parametrize("content", [b"", gzip.compress(b"", mtime=0), []])
def test_no_record(tmp_path: Path, content: bytes | list[bytes]) -> None:
    _refused(tmp_path, "holds no record.*0.tfrecord", content)


def test_csv_in_place_of_records(tmp_path: Path) -> None:
    _refused(tmp_path, "not a TFRecord file.*0.tfrecord.*image,label", b"image,label\n1,2\n")


def test_damage_behind_sound_records(tmp_path: Path) -> None:
    _ingest(tmp_path, ROWS)
    data = bytearray((tmp_path / "0.tfrecord").read_bytes())
    data[-10] ^= 1
    (tmp_path / "bad").mkdir()
    _refused(tmp_path / "bad", "damaged.*0.tfrecord, record at byte", bytes(data))
