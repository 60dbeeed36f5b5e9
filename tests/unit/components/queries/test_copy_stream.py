"""What COPY sends, as batches of rows."""

from __future__ import annotations

import pyarrow as pa
import pytest

from components.queries import copy_stream
from components.queries.copy_stream import CopyStream
from components.queries.failure import Place
from schemas.errors import DataError

BOOL, BYTEA, INT8, TEXT, FLOAT8, TIMESTAMPTZ = 16, 17, 20, 25, 701, 1184


def _batches(columns: list[tuple[str, int, int]], width: int, *rows: bytes) -> list[pa.RecordBatch]:
    found: list[pa.RecordBatch] = []
    stream = CopyStream(columns, width, found.append, Place("postgresql://ml@db/trips"))
    for row in rows:
        stream.write(row)
    stream.end()
    return found


def test_two_of_three_columns() -> None:
    (batch,) = _batches([("id", 0, INT8), ("payment", 2, TEXT)], 3, b'1,x,"Cash, ""now"""\n', b'2,,""\n', b"3,y,\n")
    assert batch.to_pylist() == [
        {"id": 1, "payment": 'Cash, "now"'},
        {"id": 2, "payment": ""},
        {"id": 3, "payment": None},
    ]


def test_types() -> None:
    kinds = (BOOL, FLOAT8, BYTEA, TIMESTAMPTZ)
    columns = [(name, number, kind) for number, (name, kind) in enumerate(zip("abcd", kinds, strict=True))]
    (batch,) = _batches(columns, 4, b"t,1e-05,\\x00ff,2020-01-31 10:00:00+00\n", b"f,,,\n")
    assert batch.to_pylist() == [
        {"a": True, "b": 1e-05, "c": b"\x00\xff", "d": "2020-01-31 10:00:00Z"},
        {"a": False, "b": None, "c": None, "d": None},
    ]


def test_rows_are_parsed_some_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copy_stream, "PIECE_BYTES", 4)
    batches = _batches([("id", 0, INT8)], 1, b"1\n", b"2\n", b"3\n")
    assert [batch.num_rows for batch in batches] == [2, 1]


def test_what_is_not_utf8() -> None:
    with pytest.raises(DataError, match="text that is not UTF-8"):
        _batches([("payment", 0, TEXT)], 1, b"ca\xe9\n")
