"""JSON values in errors."""

from __future__ import annotations

import json
from typing import Any

_MOST = 256  # characters; what is longer is cut, as TensorFlow Serving does
_INDENT = 4


class _FullError(Exception):
    pass


def value_text(value: Any) -> str:
    """A JSON value as TensorFlow Serving shows it: lists on one line, members of objects on lines of their own."""
    parts: list[str] = []
    try:
        _write(value, parts, 0)
    except _FullError:
        return "".join(parts)[:_MOST]
    return "".join(parts)


def _write(value: Any, parts: list[str], level: int) -> None:
    """Adds the text; ends after so much that even the deepest value has not come near Python's limit."""
    if isinstance(value, list):
        _add("[", parts)
        for number, item in enumerate(value):
            if number:
                _add(", ", parts)
            _write(item, parts, level + 1)
        _add("]", parts)
    elif isinstance(value, dict) and value:
        sign = "{"
        for key, item in value.items():
            _add(f"{sign}\n{' ' * _INDENT * (level + 1)}{_scalar(key)}: ", parts)
            _write(item, parts, level + 1)
            sign = ","
        _add(f"\n{' ' * _INDENT * level}}}", parts)
    else:
        _add(_scalar(value), parts)


def _add(text: str, parts: list[str]) -> None:
    parts.append(text)
    if len(parts) > _MOST or sum(map(len, parts)) > _MOST:
        raise _FullError


def _scalar(value: Any) -> str:
    return json.dumps(value[: 2 * _MOST] if isinstance(value, str) else value, ensure_ascii=False)
