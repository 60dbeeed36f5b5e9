"""A digest of rows, whatever their order."""

from __future__ import annotations

import hashlib
from typing import Any

import pyarrow as pa

from components.queries.row_digest import RowDigest

ROWS = [{"a": 1, "b": "x"}, {"a": None, "b": ""}, {"a": 2, "b": None}]
SCHEMA = pa.schema({"a": pa.int64(), "b": pa.string()})


def _digest(*batches: list[dict[str, Any]], schema: pa.Schema = SCHEMA) -> str:
    digest = RowDigest()
    for rows in batches:
        digest.add(
            pa.RecordBatch.from_arrays(
                [pa.array([row[name] for row in rows], schema.field(name).type) for name in schema.names], schema.names
            )
        )
    return digest.hexdigest()


def test_one_row() -> None:
    row = int.from_bytes(hashlib.blake2b(b"1:11:x", digest_size=16).digest(), "big")
    text = f"a: int64\nb: string\n1\n{row:x}"
    assert _digest(ROWS[:1]) == hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def test_order_and_batches_do_not_count() -> None:
    assert _digest(ROWS[::-1]) == _digest(ROWS[:1], ROWS[1:]) == _digest(ROWS)


def test_what_counts() -> None:
    others = [
        _digest(ROWS),
        _digest(ROWS, ROWS[:1]),
        _digest(ROWS[:2]),
        _digest([ROWS[0], {"a": None, "b": None}, ROWS[2]]),
        _digest([{"a": 1, "b": ""}, {"a": None, "b": "x"}, ROWS[2]]),
        _digest(ROWS, schema=pa.schema({"a": pa.float64(), "b": pa.string()})),
    ]
    assert len(set(others)) == len(others)


def test_what_a_value_holds_moves_into_no_other() -> None:
    schema = pa.schema({"a": pa.string(), "b": pa.string()})
    rows: list[dict[str, Any]] = [
        {"a": "a\x1fb", "b": "c"},
        {"a": "a", "b": "b\x1fc"},
        {"a": "a1:b", "b": "c"},
        {"a": "a", "b": "b1:c"},
        {"a": "-", "b": "\x00"},
        {"a": None, "b": "\x00"},
        {"a": "-", "b": None},
        {"a": "", "b": "-"},
        {"a": None, "b": None},
    ]
    assert len({_digest([row], schema=schema) for row in rows}) == len(rows)
