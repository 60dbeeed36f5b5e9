"""A column of MySQL's rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
from pymysql.constants import FIELD_TYPE, FLAG

_WHOLE = (FIELD_TYPE.TINY, FIELD_TYPE.SHORT, FIELD_TYPE.INT24, FIELD_TYPE.LONG, FIELD_TYPE.LONGLONG, FIELD_TYPE.YEAR)
_FLOATING = (FIELD_TYPE.FLOAT, FIELD_TYPE.DOUBLE)
_BINARY = 63  # the number of the character set of bytes
_TEXTS = (
    *(FIELD_TYPE.BLOB, FIELD_TYPE.TINY_BLOB, FIELD_TYPE.MEDIUM_BLOB, FIELD_TYPE.LONG_BLOB),
    *(FIELD_TYPE.STRING, FIELD_TYPE.VAR_STRING, FIELD_TYPE.VARCHAR),
)


def mysql_column(values: Sequence[bytes | None], field: Any) -> Any:
    """Values that were sent as text, as an Arrow array.

    Whole numbers, floating-point numbers and bytes keep their type; all else is the text that the server writes, as for
    PostgreSQL.

    Args:
        values: of some rows.
        field: PyMySQL's description of the column.

    Raises:
        pa.ArrowInvalid: text that is not UTF-8.
    """
    kind = field.type_code
    if kind in _FLOATING:
        return pa.array([None if value is None else float(value) for value in values], pa.float64())
    if kind in _WHOLE:
        whole = pa.uint64() if kind == FIELD_TYPE.LONGLONG and field.flags & FLAG.UNSIGNED else pa.int64()
        return pa.array([None if value is None else int(value) for value in values], whole)
    if kind == FIELD_TYPE.BIT:
        bits = [None if value is None else int.from_bytes(value, "big") for value in values]
        return pa.array(bits, pa.uint64())
    array = pa.array(values, pa.binary())
    return array if kind in _TEXTS and field.charsetnr == _BINARY else array.cast(pa.string())
