"""Text to typed values: strict conversion to a stated type, and the narrowest type that holds every value.

A whole number is an optional sign and digits; a float is what Python's float() takes, NaN and infinities included,
without underscores. Spaces around a number are allowed. The narrowest type is found as stock CsvExampleGen finds it:
int, float where some value is not whole, else string; a whole number beyond int64 makes the column a string.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from schemas.features import Dtype

ValueType = Literal["none", "int", "float", "string"]
"""Type of a column: a Dtype, or none while every value is missing."""

_ORDER: tuple[ValueType, ...] = ("none", "int", "float", "string")
_WHOLE = re.compile(r"\s*[+-]?[0-9]+\s*", re.ASCII)
_INT64 = range(-(2**63), 2**63)
_EXACT = 2**53
_FLOAT32_MAX = float(np.finfo(np.float32).max)
_INFINITE = re.compile(r"\s*[+-]?inf(inity)?\s*", re.IGNORECASE)


@dataclass(frozen=True)
class Typed:
    """Converted values, as an Arrow array of the input's length, and why some of them (null there) were refused."""

    values: Any
    refused: dict[int, str]


def wider(left: ValueType, right: ValueType) -> ValueType:
    """The narrowest type that holds values of both."""
    return max(left, right, key=_ORDER.index)


def convert(texts: Any, dtype: Dtype, *, clip: bool = False) -> Typed:
    """Converts an Arrow array of strings (no nulls) to int64, float32 or string.

    A whole number written as a float (`3.0`, as pandas writes an int column with missing values) is accepted as an int.

    Args:
        texts: the values.
        dtype: what they must be.
        clip: take a float beyond float32 as infinite, as stock CsvExampleGen does, rather than refuse it.
    """
    if dtype == "string":
        return Typed(texts, {})
    if dtype == "int":
        return _ints(texts)
    return _floats(texts, clip)


def narrowest(texts: Any, known: ValueType = "none") -> ValueType:
    """The narrowest type, not below `known`, that holds every text of an Arrow array of strings (no nulls)."""
    if known == "string" or not len(texts):
        return known
    if known in ("none", "int") and _cast(texts, pa.int64()) is not None:
        return wider(known, "int")
    if _cast(texts, pa.float64()) is not None:
        # Whole numbers beyond int64 pass for floats; they have at least 19 digits.
        long = texts.filter(pc.greater_equal(pc.binary_length(texts), 19)).to_pylist()
        if any(_WHOLE.fullmatch(text) and _int(text) not in _INT64 for text in long):
            return "string"
        broken = known == "float" or any(not _WHOLE.fullmatch(text) for text in texts.to_pylist())
        return "float" if broken else "int"
    return wider(known, _of_all(texts))


def _of_all(texts: Any) -> ValueType:
    found: ValueType = "none"
    for text in texts.to_pylist():
        found = wider(found, _of_one(text))
        if found == "string":
            break
    return found


def _of_one(text: str) -> ValueType:
    if _WHOLE.fullmatch(text):
        return "int" if _int(text) in _INT64 else "string"
    return "string" if _float(text) is None else "float"


def _int(text: str) -> int:
    try:
        return int(text)
    except ValueError:  # Python reads no more than some thousand digits
        return _INT64.stop


def _float(text: str) -> float | None:
    if "_" in text or not text.isascii():
        return None
    try:
        return float(text)
    except ValueError:
        return None


def _cast(texts: Any, arrow_type: Any) -> Any | None:
    """Arrow's own conversion, or None where it refuses a value or would take too much (hexadecimal, `nan(1)`)."""
    try:
        values = texts.cast(arrow_type)
    except pa.ArrowInvalid:
        return None
    if pa.types.is_integer(arrow_type):
        odd = "x"
    elif np.isnan(np.asarray(values)).any():
        odd = "("
    else:
        return values
    return None if pc.any(pc.match_substring(texts, odd, ignore_case=True)).as_py() else values


def _ints(texts: Any) -> Typed:
    values = _cast(texts, pa.int64())
    if values is not None:
        return Typed(values, {})
    whole: list[int | None] = []
    refused: dict[int, str] = {}
    for index, text in enumerate(texts.to_pylist()):
        number: int | None = None
        if _WHOLE.fullmatch(text):
            number = _int(text)
            if number not in _INT64:
                number, refused[index] = None, "outside the range of int64"
        else:
            value = _float(text)
            if value is None:
                refused[index] = "not a number"
            elif abs(value) >= _INT64.stop and not _INFINITE.fullmatch(text):
                refused[index] = "outside the range of int64"
            elif not value.is_integer():
                refused[index] = "not a whole number"
            elif abs(value) > _EXACT:
                refused[index] = "written as a decimal, which is not exact for so large a number"
            else:
                number = int(value)
        whole.append(number)
    return Typed(pa.array(whole, pa.int64()), refused)


def _floats(texts: Any, clip: bool) -> Typed:
    refused: dict[int, str] = {}
    doubles = _cast(texts, pa.float64())
    if doubles is None:
        parsed = [_float(text) for text in texts.to_pylist()]
        refused = {index: "not a number" for index, value in enumerate(parsed) if value is None}
        doubles = pa.array(parsed, pa.float64())
    numbers = np.asarray(doubles.fill_null(0.0))
    for index in np.flatnonzero(np.abs(numbers) > _FLOAT32_MAX):
        if not clip and not _INFINITE.fullmatch(texts[int(index)].as_py()):
            refused[int(index)] = "outside the range of float32"
    with np.errstate(over="ignore"):
        singles = numbers.astype(np.float32)
    keep = np.zeros(len(numbers), bool)
    keep[list(refused)] = True
    return Typed(pa.array(singles, pa.float32(), mask=keep), refused)
