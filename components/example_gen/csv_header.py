"""The first line of a CSV file: the names of its columns."""

from __future__ import annotations

import csv
from collections import Counter
from dataclasses import dataclass

from components.example_gen.csv_records import UnclosedQuoteError, open_quote, record_ends
from components.example_gen.text_file import BOM, TextFile
from schemas.errors import DataError

_MOST_BYTES = 16 << 20
_DELIMITERS = {";": "semicolons", "\t": "tabs", "|": "bars", ",": "commas"}


@dataclass(frozen=True)
class Header:
    """Names of the columns in the order of the file, and the (unpacked) offset and line at which the rows start."""

    path: str
    names: tuple[str, ...]
    offset: int
    line: int


def read_header(path: str, delimiter: str) -> Header:
    """Reads and checks the header.

    Raises:
        DataError: there is no usable header: empty file, not text, empty or repeated names.
    """
    with TextFile(path, "csv") as file:
        start = file.read(64 << 10)
        if not start:
            raise DataError(
                "The data file is empty.", where=path, received="0 bytes", fix="Give a CSV file with a header line."
            )
        while True:
            end = _first_end(start, delimiter, path)
            if end or len(start) > _MOST_BYTES:
                break
            more = file.read(len(start))
            if not more:
                end = len(start)
                break
            start += more
    record = start[:end] if end else start
    body = record[len(BOM) :] if record.startswith(BOM) else record
    text = _text(body, path)
    opened = open_quote(body, delimiter.encode())
    if opened >= 0:
        raise _unclosed(path, body, opened)
    if not end:
        raise DataError(
            "The header line does not end.",
            where=f"{path}, line 1",
            received=f"{len(start)} bytes without a line end: {text[:60]}...",
            fix="Check that the file is CSV with one row a line.",
        )
    stripped = text.rstrip("\r\n")
    if "\r" in stripped and '"' not in stripped:
        raise DataError(
            "Lines end in a lone carriage return (an old Macintosh format).",
            where=f"{path}, line 1",
            received=repr(stripped[:60]),
            fix="Convert it: tr '\\r' '\\n' < FILE > NEW.",
        )
    names = tuple(next(csv.reader([stripped], delimiter=delimiter), []))
    _check_names(path, names, delimiter)
    return Header(path, names, end, 1 + body.count(b"\n") if record.endswith(b"\n") else 2)


def _first_end(data: bytes, delimiter: str, path: str) -> int:
    shift = len(BOM) if data.startswith(BOM) else 0
    try:
        return next((end + shift for end in record_ends(data[shift:], delimiter.encode())), 0)
    except UnclosedQuoteError as error:
        raise _unclosed(path, data[shift:], error.position) from error


def _unclosed(path: str, body: bytes, position: int) -> DataError:
    return DataError(
        "A quote of the header is never closed.",
        where=f"{path}, line 1",
        received=body[position : position + 60].decode("utf-8", "replace").split("\n")[0],
        fix="Close the quote or remove it.",
    )


def _text(body: bytes, path: str) -> str:
    if b"\0" in body:
        raise DataError(
            "The data file is binary: its first line holds NUL bytes.",
            where=f"{path}, byte {body.index(0)}",
            received=repr(body[:40]),
            fix="Give a CSV file in UTF-8.",
        )
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise DataError(
            "The header is not UTF-8 text.",
            where=f"{path}, line 1, byte {error.start}",
            received=repr(body[max(0, error.start - 20) : error.start + 20]),
            fix="Convert the file: iconv -f WINDOWS-1252 -t UTF-8 FILE > NEW (or whatever its encoding is).",
        ) from error


def _check_names(path: str, names: tuple[str, ...], delimiter: str) -> None:
    where = f"{path}, line 1"
    if not names:
        raise DataError(
            "The first line is empty.",
            where=where,
            received="an empty line",
            fix="The first line must name the columns.",
        )
    empty = [position for position, name in enumerate(names, 1) if not name.strip()]
    if empty:
        raise DataError(
            "A column has no name.",
            where=f"{where}, column {empty[0]} of {len(names)}",
            received=delimiter.join(names)[:200],
            fix="Name every column in the header, or remove the unnamed one (pandas.to_csv: index=False).",
        )
    repeated = [name for name, count in Counter(names).items() if count > 1]
    if repeated:
        positions = [position for position, name in enumerate(names, 1) if name == repeated[0]]
        raise DataError(
            f"The header names column {repeated[0]!r} more than once.",
            where=where,
            received=f"{repeated[0]!r} at positions {', '.join(map(str, positions))}",
            fix="Give every column a name of its own.",
        )


def delimiter_hint(header: Header, delimiter: str) -> str:
    """Says so when the whole header sits in one column because the file uses another delimiter; else empty."""
    if len(header.names) > 1:
        return ""
    for other, name in _DELIMITERS.items():
        if other != delimiter and other in header.names[0]:
            return f"The header looks separated by {name}; set data.delimiter: {other!r}. "
    return ""
