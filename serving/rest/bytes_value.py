"""Strings of JSON: text, or an object `{"b64": ...}` for any bytes."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from serving.rest.json_document import parse_error
from serving.rest.value_text import value_text
from serving.server.request_error import invalid

_WHITESPACE = str.maketrans("", "", " \t\r\n\v\f")


def is_base64(value: Any) -> bool:
    """Whether a value is `{"b64": "..."}` and nothing else."""
    return isinstance(value, dict) and len(value) == 1 and isinstance(value.get("b64"), str)


def bytes_of(value: Any) -> bytes:
    """The bytes that a string, or an object with base64, stands for.

    Args:
        value: str or dict.

    Raises:
        RequestError: INVALID_ARGUMENT: another object, no base64, or a character that is half a surrogate pair.
    """
    if isinstance(value, str):
        try:
            return value.encode("utf-8")
        except UnicodeEncodeError as error:
            raise parse_error("The surrogate pair in string is invalid.", 0) from error
    if not is_base64(value):
        raise invalid(f"JSON Value: {value_text(value)} not formatted correctly for base64 data")
    text = value["b64"].translate(_WHITESPACE)
    digits = text.rstrip("=.")
    padding = -len(digits) % 4
    try:
        # It may be left out, and consist of points.
        if padding == 3 or len(text) - len(digits) not in (0, padding):
            raise ValueError(padding)
        return base64.b64decode(digits + "=" * padding, validate=True)
    except (binascii.Error, ValueError) as error:
        raise invalid("Unable to base64 decode") from error
