"""JSON values in errors."""

from __future__ import annotations

import contextlib
import json
import math
from decimal import Decimal
from typing import Any

_MOST = 256  # bytes; nothing begins after so many, as in TensorFlow Serving, and what has begun is written whole
_LONGEST = 1 << 16  # characters of a string, which TensorFlow Serving writes whole, too
_INDENT = 4
_ESCAPES = {ord('"'): '\\"', ord("\\"): "\\\\"} | {
    sign: {8: "\\b", 9: "\\t", 10: "\\n", 12: "\\f", 13: "\\r"}.get(sign, f"\\u{sign:04X}") for sign in range(32)
}


class _FullError(Exception):
    pass


def value_text(value: Any) -> str:
    """A JSON value as TensorFlow Serving shows it: lists on one line, members of objects on lines of their own."""
    parts: list[str] = []
    with contextlib.suppress(_FullError):
        _write(value, parts, 0)
    return "".join(parts)


def _write(value: Any, parts: list[str], level: int, before: str = "") -> None:
    """Adds the text; ends after so much that even the deepest value has not come near Python's limit."""
    if isinstance(value, list):
        _add(f"{before}[", parts)
        for number, item in enumerate(value):
            _write(item, parts, level + 1, ", " if number else "")
        _add("]", parts)
    elif isinstance(value, dict):
        _add(f"{before}{{", parts)
        line = f"\n{' ' * _INDENT * (level + 1)}"
        for number, (key, item) in enumerate(value.items()):
            _add(f"{',' if number else ''}{line}{_string(key)}", parts)
            _write(item, parts, level + 1, ": ")
        _add(f"\n{' ' * _INDENT * level}}}" if value else "}", parts)
    elif isinstance(value, int | float) and not _is_double(value):
        # RapidJSON writes what comes before it, and no more.
        _add(before, parts)
        raise _FullError
    else:
        _add(before + _scalar(value), parts)


def _add(text: str, parts: list[str]) -> None:
    if sum(len(part.encode("utf-8", "replace")) for part in parts) >= _MOST:
        raise _FullError
    parts.append(text)


def _is_double(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # a whole number of hundreds of digits
        return False


def _scalar(value: Any) -> str:
    if isinstance(value, str):
        return _string(value)
    if isinstance(value, float) or (isinstance(value, int) and not -(2**63) <= value < 2**64):
        return _decimal(value)
    return json.dumps(value)


def _string(value: str) -> str:
    return f'"{value[:_LONGEST].translate(_ESCAPES)}"'


def _decimal(value: float) -> str:
    """A double as RapidJSON writes it: 0.000001 and 100000000000000000000.0, and beyond them 1e-7 and 1e21."""
    sign, digits, power = Decimal(repr(float(value))).normalize().as_tuple()
    exponent = int(power)  # the value is finite
    text, minus = "".join(map(str, digits)), "-" if sign else ""
    point = len(text) + exponent
    if text == "0":
        return f"{minus}0.0"
    if exponent >= 0 and point <= 21:
        return f"{minus}{text}{'0' * exponent}.0"
    if 0 < point <= 21:
        return f"{minus}{text[:point]}.{text[point:]}"
    if -6 < point <= 0:
        return f"{minus}0.{'0' * -point}{text}"
    return f"{minus}{text[0]}{'.' if text[1:] else ''}{text[1:]}e{point - 1}"
