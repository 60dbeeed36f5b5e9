"""Reading the JSON of a request as TensorFlow Serving's RapidJSON does, within bounds."""

from __future__ import annotations

import codecs
import json
import math
from typing import Any

import grpc

from serving.rest.deep_json import (
    INVALID_ESCAPE,
    INVALID_HEX,
    INVALID_VALUE,
    NO_COLON,
    NO_COMMA_IN_LIST,
    NO_NAME,
    OPEN_STRING,
    TOO_BIG,
    parse_deep,
)
from serving.rest.too_large import TooLargeError
from serving.rest.value_text import value_text
from serving.server.request_error import RequestError, invalid

# What a document may hold: in memory each list or object takes some hundred bytes, each string and key as many, each
# number up to forty.
MAX_CONTAINERS = 4_000_000
MAX_STRINGS = 8_000_000
MAX_ELEMENTS = 32_000_000
_SMALL = 1 << 16  # characters that are read a second time, slowly, after a fault

# RapidJSON's words for what Python's parser says, in bodies that are too large to be read a second time.
_MESSAGES = {
    "Expecting value": INVALID_VALUE,
    "Expecting property name enclosed in double quotes": NO_NAME,
    "Expecting ':' delimiter": NO_COLON,
    "Expecting ',' delimiter": NO_COMMA_IN_LIST,
    "Illegal trailing comma before end of array": INVALID_VALUE,
    "Illegal trailing comma before end of object": NO_NAME,
    "Unterminated string starting at": OPEN_STRING,
    "Invalid control character at": INVALID_ESCAPE,
    "Invalid \\escape": INVALID_ESCAPE,
    "Invalid \\uXXXX escape": INVALID_HEX,
}
_DECODER = json.JSONDecoder()


class ParseError(RequestError):
    """A body is no JSON."""


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
    if not body:
        raise invalid("JSON Parse error: The document is empty")
    document = _parse(body)
    if not isinstance(document, dict):
        raise invalid(f"JSON Value: {value_text(document)} Is not object")
    return document


def require_finite_numbers(body: bytes) -> None:
    """Tells numbers that are beyond double (1e400), which RapidJSON refuses, from the token Infinity, which it reads.

    Python's parser gives the same for both, so only a request that holds an infinity is read a second time.

    Raises:
        RequestError: INVALID_ARGUMENT: there is a number that no double holds.
    """
    _parse(body, json.JSONDecoder(parse_float=_stored_float, parse_int=_stored_float))


def parse_error(message: str, offset: int) -> ParseError:
    """What TensorFlow Serving says of a body that is no JSON."""
    return ParseError(grpc.StatusCode.INVALID_ARGUMENT, f"JSON Parse error: {message} at offset: {offset}")


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


def too_big() -> ParseError:
    """A number beyond double."""
    return parse_error(TOO_BIG, 0)


def _parse(body: bytes, decoder: json.JSONDecoder = _DECODER) -> Any:
    """The value that a body begins with; where only the slow parser tells what is asked, a small one is read by it."""
    mark = len(codecs.BOM_UTF8) if body.startswith(codecs.BOM_UTF8) else 0
    try:
        text = (body[mark:] if mark else body).decode("utf-8")
    except UnicodeDecodeError as error:
        raise parse_error("Invalid encoding in string.", mark + error.start) from error
    start = len(text) - len(text.lstrip(" \t\r\n"))
    is_small = len(text) <= _SMALL
    try:
        if is_small and ("\\ud" in text or "\\uD" in text):
            return parse_deep(text, start)
        try:
            return decoder.raw_decode(text, start)[0]
        except RecursionError:
            return parse_deep(text, start)
        except (ValueError, OverflowError):
            if is_small:
                return parse_deep(text, start)
            raise
    except json.JSONDecodeError as error:
        message = _MESSAGES.get(error.msg, error.msg)
        raise parse_error(message, mark + len(text[: error.pos].encode("utf-8"))) from error
    except (ValueError, OverflowError) as error:
        # Python refuses to read a whole number of thousands of digits.
        raise too_big() from error


def _stored_float(digits: str) -> float:
    value = float(digits)
    if math.isinf(value):
        raise OverflowError(digits)
    return value
