"""CIFAR-10 (https://www.cs.toronto.edu/~kriz/cifar.html): small photographs of ten kinds of things.

Zip archives of JPEG or PNG pictures named PART/CLASS/NUMBER.jpg, as they are published for people who do not want
Python's pickles. Which part a picture is in is not kept: ExampleGen splits rows by their content. Other files in the
archives, such as a table of the labels, are left alone.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa

from components.example_gen.encode import encode_examples
from components.example_gen.files import whats_there
from components.example_gen.tfrecord import ShardWriter
from schemas.errors import DataError

CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
_SUFFIXES = (".jpg", ".jpeg", ".png")


def prepare(source: Path, target: Path) -> None:
    """It is the folder cifar10 with zip archives of pictures named PART/CLASS/NUMBER.jpg, such as train/cat/0001.jpg.

    Writes one TFRecord file an archive: tf.Examples with the picture's bytes (`image`) and the name of its class
    (`label`).

    Args:
        source: the folder with the archives.
        target: an empty folder.

    Raises:
        DataError: there is no archive, one is damaged, or it holds something else.
    """
    archives = sorted(source.glob("*.zip"))
    if not archives:
        raise DataError(
            "The archives of the data set are missing.",
            where="data.path",
            received=f"{source} without *.zip",
            fix=f"Set data.path to the folder that holds them; {whats_there(str(source))}",
        )
    for path in archives:
        try:
            with zipfile.ZipFile(path) as archive:
                labels, pictures = zip(*_pictures(path, archive), strict=True)
        except (zipfile.BadZipFile, ValueError) as error:
            raise DataError(
                "An archive of pictures is damaged, or holds none.",
                where=str(path),
                received=error,
                fix="Fetch it anew; unzip -t FILE checks it.",
            ) from error
        rows = pa.array(np.arange(len(labels), dtype=np.int32))
        columns = {"image": pa.array(pictures, pa.binary()), "label": pa.array(labels, pa.string())}
        examples = encode_examples(
            {name: ("string", pa.DictionaryArray.from_arrays(rows, values)) for name, values in columns.items()}
        )
        with ShardWriter(str(target / f"{path.stem}.tfrecord.gz")) as writer:
            writer.write(examples)


def _pictures(path: Path, archive: zipfile.ZipFile) -> Iterator[tuple[str, bytes]]:
    """(class, bytes) of each picture."""
    for entry in archive.infolist():
        if not entry.filename.lower().endswith(_SUFFIXES):
            continue
        _, _, kind = entry.filename.rpartition("/")[0].rpartition("/")
        if kind not in CLASSES:
            raise DataError(
                "An archive holds a picture of none of the ten classes.",
                where=str(path),
                received=entry.filename,
                fix=f"Name pictures PART/CLASS/NUMBER.jpg, with one of the classes {', '.join(CLASSES)}.",
            )
        yield kind, archive.read(entry)
