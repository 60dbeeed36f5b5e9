"""JSON that Python's own parser does not read: nested deeper than it goes, or with more words for infinity."""

from __future__ import annotations

import json
import re
from typing import Any

MAX_DEPTH = 1_000_000
IN_OBJECT = "Expecting ',' delimiter in an object"
"""What `parse_deep` says where Python does not tell objects from lists."""

_SPACE = re.compile(r"[ \t\n\r]*")
_SCALARS = json.JSONDecoder()
_MORE_NUMBERS = re.compile(r"-?Inf(?!i)|-NaN")
_TRAILING_COMMA = {
    "Illegal trailing comma before end of array": "Expecting value",
    "Illegal trailing comma before end of object": "Expecting property name enclosed in double quotes",
}


def parse_deep(text: str, start: int = 0, scalars: json.JSONDecoder = _SCALARS) -> Any:
    """The value that begins at a place of the text, whatever follows it.

    Slower than Python's parser, and with the same result, but without recursion, and with the tokens Inf, -Inf and
    -NaN, which RapidJSON reads.

    Args:
        text: JSON.
        start: where the value begins, after white space.
        scalars: reads numbers, strings and names.

    Raises:
        json.JSONDecodeError: it is no JSON, or nested a million times.
    """
    open_: list[tuple[Any, str | None]] = []  # containers, and the keys under which the next value goes
    at = start
    while True:
        opening = text[at : at + 1]
        value: Any
        if opening in ("[", "{"):
            value = [] if opening == "[" else {}
            at = _skip(text, at + 1)
            if text[at : at + 1] != ("]" if opening == "[" else "}"):
                key = None
                if opening == "{":
                    key, at = _key(text, at)
                open_.append((value, key))
                if len(open_) > MAX_DEPTH:
                    raise json.JSONDecodeError("The document is nested too deeply", text, at)
                continue
            at += 1
        elif number := _MORE_NUMBERS.match(text, at):
            value, at = float(number[0]), number.end()
        else:
            value, at = scalars.raw_decode(text, at)
        # The value is whole, and with it perhaps those around it.
        while open_:
            container, key = open_[-1]
            if key is None:
                container.append(value)
            else:
                container[key] = value
            at = _skip(text, at)
            sign = text[at : at + 1]
            if sign == ",":
                at = _skip(text, at + 1)
                if key is not None:
                    key, at = _key(text, at)
                    open_[-1] = (container, key)
                break
            if sign != ("]" if key is None else "}"):
                raise json.JSONDecodeError("Expecting ',' delimiter" if key is None else IN_OBJECT, text, at)
            at += 1
            open_.pop()
            value = container
        else:
            return value


def _skip(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at


def _key(text: str, at: int) -> tuple[str, int]:
    if text[at : at + 1] != '"':
        raise json.JSONDecodeError("Expecting property name enclosed in double quotes", text, at)
    key, at = _SCALARS.raw_decode(text, at)
    at = _skip(text, at)
    if text[at : at + 1] != ":":
        raise json.JSONDecodeError("Expecting ':' delimiter", text, at)
    return key, _skip(text, at + 1)


def of_any_python(error: json.JSONDecodeError) -> json.JSONDecodeError:
    """An error of Python's parser as releases before 3.13 tell it, which know no trailing commas."""
    message = _TRAILING_COMMA.get(error.msg)
    if message is None:
        return error
    place = error.pos + 1
    while error.doc[place : place + 1].isspace():
        place += 1
    return json.JSONDecodeError(message, error.doc, place)
