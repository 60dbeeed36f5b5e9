"""Where CSV records end, for text that may hold delimiters, quotes and newlines inside quoted fields.

The rules are those of Python's csv module and of pyarrow: a quote opens a field only at the field's first character,
a doubled quote inside it stands for one, and a quote anywhere else is an ordinary character.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

_QUOTE = b'"'
_NEWLINE = b"\n"


class UnclosedQuoteError(Exception):
    """A quoted field runs over lines and ends in the middle of other text.

    Args:
        position: offset of the opening quote.
    """

    def __init__(self, position: int) -> None:
        super().__init__(position)
        self.position = position


def last_record_end(data: bytes, delimiter: bytes) -> int:
    """Offset behind the last newline that ends a record; 0 when no record ends in `data`.

    Args:
        data: bytes that start where a record starts.
        delimiter: the one byte between fields.

    Raises:
        UnclosedQuoteError: a field cannot be told from its neighbours.
    """
    if _QUOTE not in data:
        return data.rfind(_NEWLINE) + 1
    quotes = np.flatnonzero(np.frombuffer(data, np.uint8) == ord(_QUOTE))
    if not _well_formed(data, quotes, delimiter):
        return max(record_ends(data, delimiter), default=0)
    # Quotes alternate between opening and closing: a newline ends a record if an even number of them comes before.
    stop = len(data)
    if len(quotes) % 2:
        stop = int(quotes[-1])
        quotes = quotes[:-1]
    for pair in range(len(quotes) - 1, 0, -2):
        found = data.rfind(_NEWLINE, int(quotes[pair]), stop)
        if found >= 0:
            return found + 1
        stop = int(quotes[pair - 1])
    return data.rfind(_NEWLINE, 0, stop) + 1


def record_ends(data: bytes, delimiter: bytes) -> Iterator[int]:
    """Offset behind each record, field by field; records without quotes are passed over in one step.

    Only the last end of such a run is given, except for the first record, whose end is always given.

    Raises:
        UnclosedQuoteError: a field cannot be told from its neighbours.
    """
    separator = re.compile(b"[" + re.escape(delimiter) + b"\r\n]")
    first = data.find(_NEWLINE)
    quote = data.find(_QUOTE)
    if first >= 0 and (quote < 0 or first < quote):
        yield first + 1
    position = 0
    while True:
        quote = data.find(_QUOTE, position)
        if quote < 0:
            end = data.rfind(_NEWLINE, position) + 1
            if end:
                yield end
            return
        line = data.rfind(_NEWLINE, position, quote) + 1
        if line:
            yield line
            position = line
        end = _end_of_record(data, position, separator)
        if end < 0:
            return
        yield end
        position = end


def open_quote(data: bytes, delimiter: bytes) -> int:
    """Offset of the quote that opens the field in which `data` ends, or -1; `data` starts where a record starts."""
    separator = re.compile(b"[" + re.escape(delimiter) + b"\r\n]")
    position = 0
    while True:
        if data[position : position + 1] == _QUOTE:
            close = _closing(data, position + 1)
            if close < 0:
                return position
            position = close + 1
        match = separator.search(data, position)
        if match is None:
            return -1
        position = match.end()


def _end_of_record(data: bytes, position: int, separator: re.Pattern[bytes]) -> int:
    while True:
        if data[position : position + 1] == _QUOTE:
            close = _closing(data, position + 1)
            if close < 0:
                return -1
            after = data[close + 1 : close + 2]
            if after and not separator.match(after) and _NEWLINE in data[position:close]:
                raise UnclosedQuoteError(position)
            position = close + 1
        match = separator.search(data, position)
        if match is None:
            return -1
        position = match.end()
        if match[0] == _NEWLINE:
            return position


def _closing(data: bytes, position: int) -> int:
    while True:
        close = data.find(_QUOTE, position)
        if close < 0 or data[close + 1 : close + 2] != _QUOTE:
            return close
        position = close + 2


def _well_formed(data: bytes, quotes: npt.NDArray[np.intp], delimiter: bytes) -> bool:
    """Whether every second quote opens a field and every other closes one or is half of a doubled quote."""
    text = np.frombuffer(data, np.uint8)
    opening, closing = quotes[0::2], quotes[1::2]
    before = text[opening - 1]
    doubled = np.zeros(len(opening), bool)
    doubled[1:] = opening[1:] - 1 == closing[: len(opening) - 1]
    starts = (opening == 0) | doubled | np.isin(before, list(delimiter + b"\r\n"))
    after = text[np.minimum(closing + 1, len(text) - 1)]
    ends = (closing == len(text) - 1) | np.isin(after, list(delimiter + b'\r\n"'))
    return bool(starts.all() and ends.all())
