"""Files of CSV that are ingested as a whole: rows in, examples out."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import apache_beam as beam
import pytest
import tensorflow as tf

from components.example_gen.ingest import Ingested, Ingestion, ingest
from runners.inline import InlineRunner
from schemas.errors import DataError, SchemaError
from schemas.features import FeatureTable
from schemas.raw_columns import RawColumns

ROWS = [f"{fare},{fare * (i % 2)}.5,{i}" for i, fare in enumerate(range(40))]


def table_of(**label: Any) -> FeatureTable:
    return FeatureTable.model_validate(
        {"features": {"fare": {"kind": "numeric"}}, "label": label or {"kind": "binary", "expression": "tips > 0.5"}}
    )


def ingest_files(folder: Path, *files: str | bytes, table: FeatureTable | None = None, **options: Any) -> Ingested:
    """Writes each content to a file and ingests them all to folder/out."""
    paths = []
    for index, content in enumerate(files):
        path = folder / f"{index}.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        paths.append(str(path))
    ingestion = Ingestion(RawColumns.of(table or table_of()), {"train": 2, "eval": 1}, **options)
    return ingest(paths, str(folder / "out"), ingestion, lambda: beam.Pipeline(runner=InlineRunner()))


def csv_text(*rows: str, header: str = "fare,tips,n") -> str:
    return "\n".join([header, *rows]) + "\n"


def _value(feature: tf.train.Feature) -> Any:
    kind = feature.WhichOneof("kind")
    values = list(getattr(feature, kind).value) if kind else []
    return (kind, values[0] if values else None)


def examples(folder: Path) -> list[dict[str, Any]]:
    rows = []
    for path in sorted(folder.glob("out/Split-*/*.gz")):
        for record in tf.data.TFRecordDataset(str(path), "GZIP").as_numpy_iterator():
            features = tf.train.Example.FromString(record).features.feature
            rows.append({name: _value(feature) for name, feature in features.items()})
    return rows


def refuses(folder: Path, message: str, *files: str | bytes, **options: Any) -> None:
    with pytest.raises((DataError, SchemaError), match="(?s)" + message):
        ingest_files(folder, *files, **options)
    assert not (folder / "out").exists() or os.listdir(folder / "out") == []
