"""Reading the JSON of a request as TensorFlow Serving's RapidJSON does, within bounds."""

from __future__ import annotations

import json
from typing import Any

from serving.rest.deep_json import IN_OBJECT, of_any_python, parse_deep
from serving.rest.too_large import TooLargeError
from serving.rest.value_text import value_text
from serving.server.request_error import RequestError, invalid

# What a document may hold: in memory each list or object takes some hundred bytes, each string and key as many, each
# number up to forty.
MAX_CONTAINERS = 4_000_000
MAX_STRINGS = 8_000_000
MAX_ELEMENTS = 32_000_000
_SMALL = 1 << 16  # characters that are read a second time, slowly, after a fault

# RapidJSON's words for what Python's parser says.
_MESSAGES = {
    "Expecting value": "Invalid value.",
    "Expecting property name enclosed in double quotes": "Missing a name for object member.",
    "Expecting ':' delimiter": "Missing a colon after a name of object member.",
    "Expecting ',' delimiter": "Missing a comma or ] after an array element.",
    IN_OBJECT: "Missing a comma or } after an object member.",
    "Unterminated string starting at": "Missing a closing quotation mark in string.",
    "Invalid control character at": "Invalid encoding in string.",
    "Invalid \\escape": "Invalid escape character in string.",
    "Invalid \\uXXXX escape": "Incorrect hex digit after \\u escape in string.",
}
_DECODER = json.JSONDecoder()
_TOO_BIG = "Number too big to be stored in double."


def parse_document(body: bytes) -> dict[str, Any]:
    """The object that a request's body is.

    Whole numbers are int, with all their digits; numbers with a point or an exponent are float, and so are the tokens
    NaN and Infinity, also with a minus, and in bodies of up to 65,536 characters Inf. What follows the object is not
    looked at.

    Raises:
        RequestError: INVALID_ARGUMENT: it is no JSON, or no object.
        TooLargeError: more elements than fit into a bounded amount of memory.
    """
    counts = (body.count(b"[") + body.count(b"{"), body.count(b'"') // 2, body.count(b","))
    if any(count > most for count, most in zip(counts, (MAX_CONTAINERS, MAX_STRINGS, MAX_ELEMENTS), strict=True)):
        raise TooLargeError("JSON document has too many elements.")
    try:
        # A byte order mark is skipped.
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise parse_error("Invalid encoding in string.", error.start) from error
    start = len(text) - len(text.lstrip(" \t\r\n"))
    if not text:
        raise invalid("JSON Parse error: The document is empty")
    if start == len(text):
        raise parse_error("The document is empty.", start)
    try:
        document = _parse(text, start)
    except json.JSONDecodeError as error:
        message = _MESSAGES.get(error.msg, error.msg)
        raise parse_error(message, len(text[: error.pos].encode("utf-8"))) from error
    except ValueError as error:
        # Python refuses to read a whole number of thousands of digits.
        raise parse_error(_TOO_BIG, 0) from error
    if not isinstance(document, dict):
        raise invalid(f"JSON Value: {value_text(document)} Is not object")
    return document


def require_finite_numbers(body: bytes) -> None:
    """Tells numbers that are beyond double (1e400), which RapidJSON refuses, from the token Infinity, which it reads.

    Python's parser gives the same for both, so only a request that holds an infinity is read a second time.

    Raises:
        RequestError: INVALID_ARGUMENT: there is a number that no double holds.
    """
    _parse(body.decode("utf-8-sig").lstrip(" \t\r\n"), 0, json.JSONDecoder(parse_float=_stored_float))


def parse_error(message: str, offset: int) -> RequestError:
    """What TensorFlow Serving says of a body that is no JSON."""
    return invalid(f"JSON Parse error: {message} at offset: {offset}")


def type_name(value: Any) -> str:
    """RapidJSON's name of a value's type."""
    if value is None:
        return "Null"
    if isinstance(value, bool):
        return "True" if value else "False"
    if isinstance(value, dict):
        return "Object"
    if isinstance(value, list):
        return "Array"
    return "String" if isinstance(value, str) else "Number"


def too_big() -> RequestError:
    """A number beyond double."""
    return parse_error(_TOO_BIG, 0)


def _parse(text: str, start: int, decoder: json.JSONDecoder = _DECODER) -> Any:
    try:
        return decoder.raw_decode(text, start)[0]
    except RecursionError:
        return parse_deep(text, start, decoder)
    except json.JSONDecodeError as error:
        if len(text) <= _SMALL:
            # It may hold tokens that only RapidJSON knows; and the place of the fault is known better.
            return parse_deep(text, start, decoder)
        raise of_any_python(error) from None


def _stored_float(digits: str) -> float:
    value = float(digits)
    if value in (float("inf"), float("-inf")):
        raise too_big()
    return value
