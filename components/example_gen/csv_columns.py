"""The columns of a piece of CSV, as dictionary-encoded text: each distinct text once, and an index for each row."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.csv

from components.example_gen.csv_blocks import Piece
from schemas.errors import DataError

_FIELD_BYTES = 1 << 30


@dataclass(frozen=True)
class Columns:
    """Rows of a piece.

    Args:
        rows: number of those that have the header's number of fields.
        columns: for each name an Arrow DictionaryArray of strings, null where the value is missing.
        ragged: (line, fields) of all other rows.
    """

    rows: int
    columns: dict[str, Any]
    ragged: tuple[tuple[int, list[str]], ...] = ()


def read_columns(piece: Piece, delimiter: str, missing: Sequence[str]) -> Columns:
    """Parses a piece; an empty field is always missing, and so is every text of `missing`.

    Raises:
        DataError: NUL bytes, text that is not UTF-8, or nothing that can be parsed.
    """
    _check_text(piece)
    ragged: list[tuple[int, list[str]]] = []
    try:
        table = _parse(piece, delimiter, missing) if piece.data.strip(b"\r\n") else None
    except pa.ArrowInvalid as error:
        records = list(read_rows(piece, delimiter))
        ragged = [(line, fields) for line, fields in records if len(fields) != len(piece.names)]
        try:
            table = _parse(piece, delimiter, missing, skip=True) if len(ragged) < len(records) else None
        except pa.ArrowInvalid:
            raise _no_csv(piece, str(error)) from error
        if not ragged or (table is not None and table.num_rows != len(records) - len(ragged)):
            raise _no_csv(piece, str(error)) from error
    if table is None:
        return Columns(0, {name: pa.array([], pa.string()).dictionary_encode() for name in piece.names}, tuple(ragged))
    encoded = {name: _one_chunk(table.column(name)).dictionary_encode() for name in piece.names}
    return Columns(table.num_rows, encoded, tuple(ragged))


def _parse(piece: Piece, delimiter: str, missing: Sequence[str], *, skip: bool = False) -> Any:
    """The table, without ragged rows if they are to be skipped.

    Raises:
        pa.ArrowInvalid: there are ragged rows, or worse.
    """
    # Not read_csv: at every call it searches the whole heap for references to its frame, 40 ms with TFX loaded.
    return pa.csv.open_csv(
        pa.BufferReader(piece.data),
        read_options=pa.csv.ReadOptions(
            column_names=list(piece.names), block_size=len(piece.data) + 1, use_threads=False
        ),
        parse_options=pa.csv.ParseOptions(
            delimiter=delimiter,
            newlines_in_values=b'"' in piece.data,
            invalid_row_handler=(lambda _: "skip") if skip else None,
        ),
        convert_options=pa.csv.ConvertOptions(
            column_types=dict.fromkeys(piece.names, pa.string()),
            null_values=sorted({"", *missing}),
            strings_can_be_null=True,
            check_utf8=False,
        ),
    ).read_all()


def _no_csv(piece: Piece, said: str) -> DataError:
    return DataError(
        "A part of the data cannot be parsed as CSV.",
        where=f"{piece.path}, from line {piece.line}",
        received=said[:300],
        fix="Check quotes and delimiters near this line.",
    )


def read_rows(piece: Piece, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """(line at which it starts, fields) of each record: slow, for messages about bad rows."""
    before = csv.field_size_limit(_FIELD_BYTES)
    try:
        reader = csv.reader(io.StringIO(piece.data.decode("utf-8"), newline=""), delimiter=delimiter)
        line = 0
        for fields in reader:
            if fields:
                yield piece.line + line, fields
            line = reader.line_num
    finally:
        csv.field_size_limit(before)


def lines_of(piece: Piece, delimiter: str, rows: Sequence[int]) -> list[int]:
    """The line of the file at which each of these rows (ascending, ragged ones not counted) of a piece starts."""
    wanted = set(rows)
    found: list[int] = []
    lines = (line for line, fields in read_rows(piece, delimiter) if len(fields) == len(piece.names))
    for row, line in enumerate(lines):
        if row in wanted:
            found.append(line)
            if len(found) == len(wanted):
                break
    return found


def _one_chunk(column: Any) -> Any:
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def _check_text(piece: Piece) -> None:
    data = piece.data
    at = data.find(b"\0")
    if at >= 0:
        raise DataError(
            "The data holds a NUL byte: it is binary, or UTF-16 text.",
            where=_place(piece, at),
            received=repr(data[max(0, at - 20) : at + 20]),
            fix="Give a CSV file in UTF-8.",
        )
    if data.isascii():
        return
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise DataError(
            "The data is not UTF-8 text.",
            where=_place(piece, error.start),
            received=repr(data[max(0, error.start - 20) : error.start + 20]),
            fix="Convert the file: iconv -f WINDOWS-1252 -t UTF-8 FILE > NEW (or whatever its encoding is).",
        ) from error


def _place(piece: Piece, position: int) -> str:
    line = piece.line + piece.data.count(b"\n", 0, position)
    return f"{piece.path}, line {line}, byte {piece.offset + position}"
