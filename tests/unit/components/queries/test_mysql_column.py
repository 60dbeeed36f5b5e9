"""MySQL's texts as a column."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pytest
from pymysql.constants import FIELD_TYPE, FLAG

from components.queries.mysql_column import mysql_column

UTF8, BINARY = 255, 63


def _field(kind: int, flags: int = 0, charset: int = UTF8) -> Any:
    return SimpleNamespace(type_code=kind, flags=flags, charsetnr=charset)


@pytest.mark.parametrize(
    ("field", "sent", "expected"),
    [
        (_field(FIELD_TYPE.LONG), b"-3", pa.array([-3, None], pa.int64())),
        (_field(FIELD_TYPE.LONGLONG, FLAG.UNSIGNED), str(2**64 - 1).encode(), pa.array([2**64 - 1, None], pa.uint64())),
        (_field(FIELD_TYPE.DOUBLE), b"1e-05", pa.array([1e-05, None], pa.float64())),
        (_field(FIELD_TYPE.BIT), b"\x01\x00", pa.array([256, None], pa.uint64())),
        (_field(FIELD_TYPE.NEWDECIMAL, charset=BINARY), b"0.0000001", pa.array(["0.0000001", None])),
        (_field(FIELD_TYPE.VAR_STRING), "größe".encode(), pa.array(["größe", None])),
        (_field(FIELD_TYPE.BLOB, charset=BINARY), b"\x00\xff", pa.array([b"\x00\xff", None])),
    ],
)
def test_a_value_and_a_null(field: Any, sent: bytes, expected: pa.Array) -> None:
    assert mysql_column([sent, None], field).equals(expected)


def test_what_is_not_utf8() -> None:
    with pytest.raises(pa.ArrowInvalid):
        mysql_column([b"ca\xe9"], _field(FIELD_TYPE.VAR_STRING))
