"""JSON lines as columns: each line is an object, whose members are the columns of its row."""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import orjson
import pyarrow as pa

from components.example_gen.json_blocks import JsonPiece
from schemas.features import Dtype

_PLAIN: dict[Dtype, tuple[set[type], Any]] = {
    "int": ({int}, pa.int64()),
    "float": ({int, float}, pa.float64()),
    "string": ({str}, pa.string()),
}
_NESTED = {dict, list}
_EXACT = 2**53
_DIGITS = 300  # A float holds no more.
_SHOWN = 40


@dataclass(frozen=True)
class JsonRows:
    """The rows of a piece.

    Args:
        lines: number in the file of each row, and its text.
        columns: for each declared column an Arrow array of its type, or of text where some value is of another type;
            numbers are then written as in the file, and true and false as 1 and 0 where numbers are wanted.
        malformed: (number in the file, text, what is wrong) of lines that are no rows.
    """

    lines: list[tuple[int, bytes]]
    columns: dict[str, Any]
    malformed: list[tuple[int, bytes, str]]


def read_json_rows(piece: JsonPiece, declared: Mapping[str, Dtype], missing: Sequence[str]) -> JsonRows:
    """Reads the declared columns of a piece.

    A member that a line lacks, and null, is missing; so are, of text, the texts of `missing`, and, where a whole number
    is wanted, NaN. Of members of one name the last counts. Other members are passed over, whatever they hold.

    Args:
        piece: lines.
        declared: the columns that are wanted, with their types.
        missing: texts that stand for a missing value.
    """
    lines: list[tuple[int, bytes]] = []
    rows: list[dict[str, Any]] = []
    malformed: list[tuple[int, bytes, str]] = []
    for number, text in piece.lines:
        row = _parsed(text)
        wrong = row if isinstance(row, str) else _nested(row, declared)
        if wrong:
            malformed.append((number, text, wrong))
        else:
            lines.append((number, text))
            rows.append(cast(dict[str, Any], row))
    columns = {
        name: _column(name, [row.get(name) for row in rows], dtype, frozenset(missing), lines)
        for name, dtype in declared.items()
    }
    return JsonRows(lines, columns, malformed)


def _nested(row: dict[str, Any], declared: Collection[str]) -> str:
    """Which column holds several values, if any; most rows have none at all."""
    if _NESTED.isdisjoint(map(type, row.values())):
        return ""
    names = [name for name in declared if isinstance(row.get(name), dict | list)]
    return f"{names[0]!r} holds several values: {json.dumps(row[names[0]])[:_SHOWN]}" if names else ""


def _parsed(line: bytes) -> dict[str, Any] | str:
    """The object of a line, or why there is none."""
    try:
        value = orjson.loads(line)
    except orjson.JSONDecodeError:
        # What orjson refuses may be NaN or Infinity, and the standard library says better what is wrong.
        try:
            value = json.loads(line.decode(), parse_int=_whole_number, parse_float=_number)
            json.dumps(value, ensure_ascii=False).encode()
        except json.JSONDecodeError as error:
            return f"{error.msg}, column {error.colno}: {_excerpt(line, error.pos)}"
        except UnicodeDecodeError as error:
            return f"no UTF-8 text, byte {error.start + 1}: {line[max(0, error.start - 20) : error.start + 20]!r}"
        except UnicodeEncodeError:
            return f"half of a surrogate pair in a text: {_excerpt(line, 0)}"
        except RecursionError:
            return f"nested too deeply: {_excerpt(line, 0)}"
    return value if isinstance(value, dict) else f"no object: {_excerpt(line, 0)}"


def _whole_number(digits: str) -> int | str:
    return int(digits) if len(digits) < _DIGITS else digits


def _number(written: str) -> float | str:
    """A number, or the text of one that no float holds, so that it is not taken for infinite."""
    number = float(written)
    return number if math.isfinite(number) else written


def _excerpt(line: bytes, position: int) -> str:
    text = line.decode("utf-8", "replace")
    return text[max(0, position - _SHOWN // 2) : position + _SHOWN // 2].strip()


def _column(
    name: str, values: list[Any], dtype: Dtype, missing: Collection[str], lines: Sequence[tuple[int, bytes]]
) -> Any:
    plain, kind = _PLAIN[dtype]
    types = set(map(type, values)) - {type(None)}
    if missing and str in types:
        values = [None if isinstance(value, str) and value in missing else value for value in values]
    if dtype == "int" and float in types:
        values = [_whole(value) if isinstance(value, float) else value for value in values]
        types = set(map(type, values)) - {type(None)}
    if types <= plain:
        if dtype == "float":  # Arrow refuses whole numbers that are not exact
            values = [None if value is None else float(value) for value in values]
        try:
            return pa.array(values, kind)
        except OverflowError:  # beyond int64
            pass
    texts = (_text(name, value, dtype, line) for value, (_, line) in zip(values, lines, strict=True))
    return pa.array(texts, pa.string())


def _whole(value: float) -> Any:
    """A whole number that is written with a decimal point; NaN is missing."""
    if value != value:
        return None
    return int(value) if value.is_integer() and abs(value) <= _EXACT else value


def _text(name: str, value: Any, dtype: Dtype, line: bytes) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value).lower() if dtype == "string" else str(int(value))
    if isinstance(value, int):
        return str(value)
    try:
        # As it is written: orjson makes floats of whole numbers of more than 64 bits, and drops zeros.
        written: str = json.loads(line, parse_int=str, parse_float=str, parse_constant=str)[name]
    except RecursionError:  # of another member, which is nested more deeply than the standard library reads
        return str(value)
    return written
