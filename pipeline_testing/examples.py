"""Rows to serialized tf.Examples and back, and the files of an Examples artifact."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from pipeline_testing.rows import Row, column_kinds

FILE_NAME = "data_tfrecord-00000-of-00001.gz"


def encode(rows: Sequence[Row]) -> list[bytes]:
    """Serialized tf.Examples as ExampleGen writes them: every column is there, and a missing value is an empty list.

    Args:
        rows: as `pipeline_testing.rows.to_rows` gives them.
    """
    kinds = column_kinds(rows)
    encoded = []
    for row in rows:
        example = tf.train.Example()
        for name, kind in kinds.items():
            feature = example.features.feature[name]
            values = row[name] if isinstance(row[name], list) else [] if row[name] is None else [row[name]]
            if kind == "int":
                feature.int64_list.value.extend(values)
            elif kind == "float":
                feature.float_list.value.extend(values)
            elif kind == "bytes":
                feature.bytes_list.value.extend(v.encode() if isinstance(v, str) else v for v in values)
        encoded.append(example.SerializeToString(deterministic=True))
    return encoded


def decode(record: bytes) -> dict[str, Any]:
    """The row of a serialized tf.Example, its columns in name order: a missing value is None, several are a list.

    A float is the shortest decimal that gives its float32, so that it can be compared with what a test has written;
    bytes are text where they are UTF-8.
    """
    features = tf.train.Example.FromString(record).features.feature
    row: dict[str, Any] = {}
    for name in sorted(features):
        kind = features[name].WhichOneof("kind")
        values = [] if kind is None else [_value(value) for value in getattr(features[name], kind).value]
        row[name] = None if not values else values[0] if len(values) == 1 else values
    return row


def write(rows: Sequence[Row], folder: Path) -> None:
    """Writes the rows as one gzipped TFRecord file in a split's folder."""
    folder.mkdir(parents=True)
    with tf.io.TFRecordWriter(str(folder / FILE_NAME), "GZIP") as writer:
        for record in encode(rows):
            writer.write(record)


def records(folder: Path) -> Iterator[bytes]:
    """The records of the TFRecord files in a split's folder, gzipped where a name ends in .gz, in name order."""
    for file in sorted(folder.iterdir()):
        yield from tf.data.TFRecordDataset(str(file), "GZIP" if file.suffix == ".gz" else "").as_numpy_iterator()


def _value(value: Any) -> Any:
    if isinstance(value, float):
        return float(str(np.float32(value)))
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            return value
    return value
