"""The formats of data files: in words, and the suffixes of their names."""

from __future__ import annotations

from configs.data import Source

SUFFIXES: dict[Source, tuple[str, ...]] = {
    "csv": (".csv", ".csv.gz", ".csv.bz2", ".csv.zst"),
    "tfrecord": (".tfrecord", ".tfrecord.gz", ".tfrecords", ".tfrecords.gz"),
    "parquet": (".parquet", ".pq"),
    "arrow": (".arrow", ".feather"),
    "orc": (".orc",),
    "jsonl": tuple(
        f".{name}{packed}" for name in ("jsonl", "ndjson", "json") for packed in ("", ".gz", ".bz2", ".zst")
    ),
    "avro": (".avro",),
}
"""By which a folder's files are found."""
FORMATS: dict[Source, str] = {
    "csv": "CSV",
    "tfrecord": "TFRecord",
    "parquet": "Parquet",
    "arrow": "Arrow",
    "orc": "ORC",
    "jsonl": "JSON lines",
    "avro": "Avro",
}
"""The formats in words."""


def shown_suffixes(source: Source) -> str:
    """The suffixes of a format, in words."""
    *most, last = (f"*{suffix}" for suffix in SUFFIXES[source])
    return f"{', '.join(most)} or {last}" if most else last
