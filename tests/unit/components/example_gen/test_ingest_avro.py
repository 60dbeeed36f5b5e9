"""Avro: types that Parquet does not have, ways of packing, and files that are damaged."""

from __future__ import annotations

import datetime
import io
import struct
import zlib
from decimal import Decimal
from pathlib import Path
from typing import Any

import apache_beam as beam
import fastavro
import pyarrow as pa
import pytest
import tensorflow as tf

from components.example_gen.avro_file import AvroFile
from components.example_gen.ingest import Ingested, Ingestion, ingest
from runners.inline import InlineRunner
from schemas.errors import DataError
from schemas.features import FeatureTable
from schemas.raw_columns import RawColumns

TABLE = FeatureTable.model_validate(
    {
        "features": {
            "fare": {"kind": "numeric"},
            "company": {"kind": "categorical"},
            "hour": {"kind": "integer", "size": 24},
        },
        "label": {"kind": "binary", "expression": "tips > 1"},
    }
)
KINDS: dict[str, Any] = {"fare": "double", "company": "string", "hour": "int", "tips": "double"}


def write(rows: list[dict[str, Any]], kinds: dict[str, Any], codec: str = "null", sync_interval: int = 16000) -> bytes:
    fields = [{"name": name, "type": kind} for name, kind in kinds.items()]
    schema = fastavro.parse_schema({"type": "record", "name": "Row", "namespace": "a.b", "fields": fields})
    file = io.BytesIO()
    fastavro.writer(file, schema, rows, codec=codec, sync_interval=sync_interval)
    return file.getvalue()


def _with(column: str, kind: Any, *values: Any) -> bytes:
    """Rows enough for two splits, whose column has these values again and again."""
    rows: list[dict[str, Any]] = [
        {"fare": 0.25 * n, "company": "abc"[n % 3], "hour": n % 24, "tips": float(n % 5)} for n in range(60)
    ]
    for number, row in enumerate(rows):
        row[column] = values[number % len(values)]
    return write(rows, {**KINDS, column: kind})


def _ingest(folder: Path, content: bytes) -> Ingested:
    (folder / "a.avro").write_bytes(content)
    ingestion = Ingestion(RawColumns.of(TABLE), {"train": 2, "eval": 1}, source="avro")
    return ingest(
        [str(folder / "a.avro")], str(folder / "out"), ingestion, lambda: beam.Pipeline(runner=InlineRunner())
    )


def _values(folder: Path, column: str) -> set[Any]:
    found: list[Any] = []
    files = [str(path) for path in folder.glob("out/Split-*/*.gz")]
    for record in tf.data.TFRecordDataset(files, "GZIP").as_numpy_iterator():
        feature = tf.train.Example.FromString(record).features.feature[column]
        found += [*feature.bytes_list.value, *feature.float_list.value, *feature.int64_list.value]
    return {*found}


@pytest.mark.parametrize(
    ("column", "kind", "values", "found"),
    [
        ("hour", ["null", "long"], [3, None, 4], {3, 4}),
        ("hour", ["int", "null"], [3, None, 4], {3, 4}),
        ("hour", "boolean", [True, False], {1, 0}),
        ("hour", ["null", "int", "string"], [3, "4", None, ""], {3, 4}),
        ("hour", "double", [3.0, float("nan")], {3}),
        ("fare", ["null", "int", "double"], [3, 4.5, None], {3, 4.5}),
        ("fare", "float", [0.5, 2.0], {0.5, 2.0}),
        (
            "fare",
            {"type": "bytes", "logicalType": "decimal", "precision": 30, "scale": 2},
            [Decimal("1.50"), Decimal("-1234567890123456789012345678.25")],
            {1.5, struct.unpack("f", struct.pack("f", -1234567890123456789012345678.25))[0]},
        ),
        (
            "company",
            {"type": "fixed", "name": "Money", "size": 8, "logicalType": "decimal", "precision": 10, "scale": 2},
            [Decimal("1.50"), Decimal("-0.05")],
            {b"1.50", b"-0.05"},
        ),
        ("company", {"type": "enum", "name": "Color", "symbols": ["RED", "BLUE"]}, ["RED", "BLUE"], {b"RED", b"BLUE"}),
        ("company", "bytes", [b"a", b"\xff"], {b"a", b"\xff"}),
        ("company", ["null", "long", "boolean"], [3, True, None], {b"3", b"true"}),
        (
            "company",
            {"type": "int", "logicalType": "date"},
            [datetime.date(2020, 1, 31), datetime.date(1960, 2, 29)],
            {b"2020-01-31", b"1960-02-29"},
        ),
        (
            "company",
            ["null", {"type": "long", "logicalType": "timestamp-millis"}],
            [datetime.datetime(2020, 1, 31, 12, tzinfo=datetime.timezone.utc), None],
            {b"2020-01-31 12:00:00.000Z"},
        ),
        (
            "company",
            {"type": "long", "logicalType": "local-timestamp-micros"},
            [datetime.datetime(2020, 1, 31, 12, 0, 0, 5)],
            {b"2020-01-31 12:00:00.000005"},
        ),
        ("company", {"type": "int", "logicalType": "time-millis"}, [datetime.time(12, 30)], {b"12:30:00.000"}),
    ],
)
def test_types(tmp_path: Path, column: str, kind: Any, values: list[Any], found: set[Any]) -> None:
    _ingest(tmp_path, _with(column, kind, *values))
    assert _values(tmp_path, column) == found


def test_a_type_that_an_unread_field_names(tmp_path: Path) -> None:
    color = {"type": "enum", "name": "Color", "symbols": ["RED", "BLUE"]}
    rows = [{"x": "RED", "fare": 1.0, "company": "BLUE", "hour": n % 24, "tips": float(n % 5)} for n in range(60)]
    _ingest(tmp_path, write(rows, {"x": color, **KINDS, "company": ["null", "a.b.Color"]}))
    assert _values(tmp_path, "company") == {b"BLUE"}


@pytest.mark.parametrize(
    ("column", "kind", "value", "told"),
    [
        ("fare", {"type": "array", "items": "double"}, [1.0], "(?s)'fare' holds several values.*array"),
        ("fare", ["null", {"type": "map", "values": "double"}], {"a": 1.0}, "(?s)holds several values.*map"),
        ("fare", ["null", "string", {"type": "int", "logicalType": "date"}], "a", "(?s)not read.*one of string, date"),
        ("hour", "long", 2**62, None),
        ("hour", "double", 2.5, "(?s)not a whole number.*row 1: 2.5"),
        ("fare", "string", "x", "(?s)not a number.*row 1: x"),
    ],
)
def test_what_is_not_read_is_told(tmp_path: Path, column: str, kind: Any, value: Any, told: str | None) -> None:
    content = _with(column, kind, value)
    if told is None:
        _ingest(tmp_path, content)
        assert _values(tmp_path, column) == {value}
        return
    with pytest.raises(DataError, match=told):
        _ingest(tmp_path, content)


ROWS = [{"fare": float(n), "company": "abc" * 30, "hour": n % 24, "tips": 1.0} for n in range(500)]


def _read(path: Path) -> pa.Table:
    with path.open("rb") as raw:
        file = AvroFile(raw, str(path))
        return pa.Table.from_batches([file.read(group, ["hour", "fare"]) for group in file.find_groups()])


@pytest.mark.parametrize("codec", ["null", "deflate", "bzip2", "xz"])
def test_ways_of_packing(tmp_path: Path, codec: str) -> None:
    (tmp_path / "a").write_bytes(write(ROWS, KINDS, codec, 1000))
    assert _read(tmp_path / "a").to_pylist() == [{"hour": row["hour"], "fare": row["fare"]} for row in ROWS]


def _zstandard(data: bytes) -> bytes:
    packed = pa.BufferOutputStream()
    with pa.CompressedOutputStream(packed, "zstd") as stream:
        stream.write(data)
    return packed.getvalue().to_pybytes()


def _snappy(data: bytes) -> bytes:
    return pa.compress(data, "snappy", asbytes=True) + struct.pack(">I", zlib.crc32(data))


@pytest.mark.parametrize(("codec", "pack"), [("snappy", _snappy), ("zstandard", _zstandard)])
def test_ways_of_packing_that_fastavro_leaves_to_others(tmp_path: Path, codec: str, pack: Any) -> None:
    plain = write(ROWS[:5], KINDS)
    block = b"".join(plain.split(plain[-16:])[1:-1])  # 2 bytes of the count, zigzag of 5, then the size
    size = 1 + (block[1] >= 0x80)
    data = pack(block[1 + size :])
    length = len(data) << 1
    written = bytes([length & 0x7F | 0x80, length >> 7]) if length > 0x7F else bytes([length])
    head = plain[: plain.index(plain[-16:])].replace(b"\x08null", bytes([len(codec) << 1]) + codec.encode())
    (tmp_path / "a").write_bytes(head + plain[-16:] + block[:1] + written + data + plain[-16:])
    assert _read(tmp_path / "a").to_pylist() == [{"hour": row["hour"], "fare": row["fare"]} for row in ROWS[:5]]


@pytest.mark.parametrize("cut", [3, 20, 200, 400, -1, -20, -500])
def test_a_cut_off_file_is_told(tmp_path: Path, cut: int) -> None:
    (tmp_path / "a").write_bytes(write(ROWS, KINDS, "deflate", 5000)[:cut])
    with pytest.raises(OSError, match="cut off|damaged|head"):
        _read(tmp_path / "a")


@pytest.mark.parametrize("codec", ["null", "deflate"])
def test_changed_bytes_are_told_or_read(tmp_path: Path, codec: str) -> None:
    """No byte is guarded by a checksum; what must not happen is another error or another number of rows."""
    whole = write(ROWS[:50], KINDS, codec, 1000)
    for place in range(0, len(whole), 7):
        changed = bytearray(whole)
        changed[place] ^= 0xA5
        (tmp_path / "a").write_bytes(changed)
        try:
            table = _read(tmp_path / "a")
        except (OSError, DataError, KeyError):
            continue
        assert table.num_rows == 50


def test_another_codec_is_named(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(write(ROWS, KINDS).replace(b"\x08null", b"\x08lzma"))
    with pytest.raises(OSError, match="packed by lzma, which is not read"):
        _read(tmp_path / "a")


def test_records_are_needed(tmp_path: Path) -> None:
    file = io.BytesIO()
    fastavro.writer(file, "long", [1, 2])
    (tmp_path / "a").write_bytes(file.getvalue())
    with pytest.raises(OSError, match="holds no records"):
        _read(tmp_path / "a")


def test_runs_are_in_the_order_of_the_records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("components.example_gen.avro_file._RUN_BYTES", 2000)
    (tmp_path / "a").write_bytes(write(ROWS, KINDS, "null", 500))
    with (tmp_path / "a").open("rb") as raw:
        groups = AvroFile(raw, "a").find_groups()
    assert len(groups) > 5
    assert sum(group.rows for group in groups) == 500
    assert _read(tmp_path / "a")["fare"].to_pylist() == [float(n) for n in range(500)]
