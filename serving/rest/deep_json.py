"""JSON as RapidJSON 1.1.0 reads it, which is in TensorFlow Serving: its tokens, its words for faults and their places.

Python's own parser is many times faster. This one is for what that one does not read, or says in other words.
"""

from __future__ import annotations

import json
import re
from typing import Any

MAX_DEPTH = 1_000_000
EMPTY = "The document is empty."
INVALID_VALUE = "Invalid value."
NO_NAME = "Missing a name for object member."
NO_COLON = "Missing a colon after a name of object member."
NO_COMMA_IN_OBJECT = "Missing a comma or '}' after an object member."
NO_COMMA_IN_LIST = "Missing a comma or ']' after an array element."
OPEN_STRING = "Missing a closing quotation mark in string."
INVALID_ESCAPE = "Invalid escape character in string."
INVALID_HEX = "Incorrect hex digit after \\u escape in string."
INVALID_SURROGATE = "The surrogate pair in string is invalid."
TOO_BIG = "Number too big to be stored in double."

_STRINGS = json.JSONDecoder()
_SPACE = re.compile(r"[ \t\n\r]*")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?(?:[eE][-+]?[0-9]+)?")
_WORDS = {
    "n": (("null", None),),
    "t": (("true", True),),
    "f": (("false", False),),
    "N": (("NaN", float("nan")),),
    "I": (("Infinity", float("inf")), ("Inf", float("inf"))),
}
_ESCAPE = re.compile(r'\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})')
_PLAIN = re.compile(r'[^"\\\x00-\x1f]*')
_HIGH, _LOW = re.compile(r"\\u[dD][89abAB]"), re.compile(r"\\u[dD][c-fC-F]")


def parse_deep(text: str, start: int = 0) -> Any:
    """The value that begins at a place of the text, whatever follows it.

    Without recursion, and with the tokens NaN, Infinity and Inf, each also with a minus.

    Args:
        text: JSON; it ends at a NUL.
        start: where the value begins, after white space.

    Raises:
        json.JSONDecodeError: it is no JSON, or nested a million times; its message is RapidJSON's.
    """
    open_: list[tuple[Any, str | None]] = []  # containers, and the keys under which the next value goes
    at = start
    if text[at : at + 1] in ("", "\0", "]", "}", ",", ":"):
        raise json.JSONDecodeError(EMPTY, text, at)
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
        else:
            value, at = _string(text, at) if opening == '"' else _scalar(text, at)
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
                raise json.JSONDecodeError(NO_COMMA_IN_LIST if key is None else NO_COMMA_IN_OBJECT, text, at)
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
        raise json.JSONDecodeError(NO_NAME, text, at)
    key, at = _string(text, at)
    at = _skip(text, at)
    if text[at : at + 1] != ":":
        raise json.JSONDecodeError(NO_COLON, text, at)
    return key, _skip(text, at + 1)


def _string(text: str, at: int) -> tuple[str, int]:
    try:
        value, end = _STRINGS.raw_decode(text, at)
        if "\\u" not in text[at:end] or not any("\ud800" <= one <= "\udfff" for one in value):
            return value, end
    except ValueError:
        pass
    raise _fault_in_string(text, at + 1)


def _fault_in_string(text: str, at: int) -> json.JSONDecodeError:
    while True:
        at = _end(_PLAIN, text, at)
        sign = text[at : at + 1]
        if sign != "\\":
            return json.JSONDecodeError(OPEN_STRING if sign in ("", "\0", '"') else INVALID_ESCAPE, text, at)
        end = _end(_ESCAPE, text, at)
        if end == at:
            return json.JSONDecodeError(INVALID_HEX if text[at + 1 : at + 2] == "u" else INVALID_ESCAPE, text, at)
        if _LOW.match(text, at):
            return json.JSONDecodeError(INVALID_SURROGATE, text, at)
        if _HIGH.match(text, at):
            pair = _end(_ESCAPE, text, end)
            if not _LOW.match(text, end) or pair == end:
                broken = text[end : end + 2] == "\\u" and pair == end
                return json.JSONDecodeError(INVALID_HEX if broken else INVALID_SURROGATE, text, at)
            end = pair
        at = end


def _scalar(text: str, at: int) -> tuple[Any, int]:
    """A number, or a word."""
    minus = text[at : at + 1] == "-"
    number = _NUMBER.match(text, at)
    if number is None:
        return _word(text, at + minus, minus)
    end = number.end()
    sign = text[end : end + 1]
    if sign == "." and number[1] is None and "e" not in number[0].lower():
        raise json.JSONDecodeError("Miss fraction part in number.", text, end + 1)
    if sign in ("e", "E") and "e" not in number[0].lower():
        end += 2 if text[end + 1 : end + 2] in ("+", "-") else 1
        raise json.JSONDecodeError("Miss exponent in number.", text, end)
    try:
        value: int | float = float(number[0])
        if value in (float("inf"), float("-inf")):
            raise OverflowError
        if number[0].lstrip("-").isdigit():
            value = int(number[0])
    except (OverflowError, ValueError) as error:  # Python refuses to read a whole number of thousands of digits
        raise json.JSONDecodeError(TOO_BIG, text, at) from error
    return value, end


def _word(text: str, at: int, minus: bool) -> tuple[Any, int]:
    words = _WORDS.get(text[at : at + 1], ())
    alike = 0
    for word, value in words:
        # -null is none: a minus is followed by a number.
        if minus and word[0] not in "NI":
            break
        if text.startswith(word, at) and not (word == "Inf" and text[at + 3 : at + 4] == "i"):
            return -value if minus and isinstance(value, float) else value, at + len(word)
        matched = next((n for n, one in enumerate(word) if text[at + n : at + n + 1] != one), len(word))
        alike = max(alike, matched)
    raise json.JSONDecodeError(INVALID_VALUE, text, at + alike)


def _end(pattern: re.Pattern[str], text: str, at: int) -> int:
    found = pattern.match(text, at)
    return found.end() if found else at
