"""The rows of a piece: typed, labelled, serialized and given to splits; those at fault are reported and left out."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from components.example_gen.csv_blocks import Piece
from components.example_gen.csv_columns import lines_of, read_columns
from components.example_gen.encode import encode_examples
from components.example_gen.faults import Faults
from components.example_gen.joined_pieces import AnyPiece
from components.example_gen.json_blocks import JsonPiece
from components.example_gen.json_rows import read_json_rows
from components.example_gen.labels import TypedColumn, read_labels
from components.example_gen.record_blocks import RecordPiece
from components.example_gen.record_columns import read_record_columns
from components.example_gen.rejected_rows import RejectedRows
from components.example_gen.report import SAMPLES, Found, Report
from components.example_gen.row_ids import row_ids
from components.example_gen.split import assign_splits
from components.example_gen.table_blocks import TablePiece
from components.example_gen.table_columns import as_texts, cell, read_table_column
from components.example_gen.timestamps import unreadable
from components.example_gen.values import convert, narrowest, wider
from components.example_gen.work import Work
from schemas.raw_columns import ROW_ID_COLUMN

_CHARACTERS = 60
_MOST_DIGITS = 30


@dataclass(frozen=True)
class Rows:
    """The rows of a piece that are wanted.

    Args:
        columns: their values.
        examples: the same, serialized.
        splits: number of each row's split.
        classes: their labels, where these are classes.
    """

    columns: dict[str, TypedColumn]
    examples: list[bytes]
    splits: npt.NDArray[np.intp]
    classes: npt.NDArray[Any] | None


@dataclass(frozen=True)
class _Parsed:
    """The rows of a piece as they were read.

    Args:
        typed: the declared columns; a value that was refused is missing.
        untyped: text of all others, which get the type that the kept rows need.
        faults: rows of which some value was refused.
        unit: what numbers count.
        numbers: the number in the file of each of some rows.
        content: what a row holds.
    """

    typed: dict[str, TypedColumn]
    faults: Faults
    unit: str
    numbers: Callable[[Sequence[int]], list[int]]
    content: Callable[[int], Mapping[str, Any]]
    untyped: dict[str, Any] = field(default_factory=dict)


def read_rows(piece: AnyPiece, work: Work, report: Report, letters: RejectedRows) -> Rows | None:
    """The rows of a piece that are wanted.

    Args:
        piece: of a block.
        work: what to do with it.
        report: gets what is found.
        letters: gets the rows that something is wrong with.

    Returns:
        None once the rows are not wanted (`Work.wants`), or where there are none.
    """
    if isinstance(piece, RecordPiece):
        parsed = _of_records(piece, work, report)
    elif isinstance(piece, TablePiece):
        parsed = _of_table(piece, work, report)
    elif isinstance(piece, JsonPiece):
        parsed = _of_json(piece, work, report, letters)
    else:
        parsed = _of_csv(piece, work, report, letters)
    for name, (_, column) in parsed.typed.items():
        report.filled[name] = report.filled.get(name, 0) + len(column) - column.null_count
    splits = _named_splits(parsed, work, report)
    classes, missing = _read_labels(parsed, work, report)
    parsed.faults.tell(piece.path, parsed.unit, parsed.numbers, parsed.content, report, letters)
    keep = ~(missing | parsed.faults.rejected)
    report.dropped += int((missing & ~parsed.faults.rejected).sum())
    typed = (
        parsed.typed
        if keep.all()
        else {name: (kind, _only(column, keep)) for name, (kind, column) in parsed.typed.items()}
    )
    for name, texts in parsed.untyped.items():
        typed[name] = _narrowed(name, texts if keep.all() else _only(texts, keep), work, report)
    if not keep.any() or not work.wants(report):
        return None
    if work.row_ids is not None:
        numbers = parsed.numbers(np.flatnonzero(keep).tolist())
        typed[ROW_ID_COLUMN] = row_ids(piece.path.removeprefix(work.row_ids), numbers)
    examples = encode_examples(typed)
    chosen = np.array(assign_splits(examples, work.buckets), np.intp) if splits is None else splits[keep]
    return Rows(typed, examples, chosen, None if classes is None else classes[keep])


def _only(column: Any, keep: npt.NDArray[np.bool_]) -> Any:
    """Some rows of a column, without the values that are in none of them."""
    return column.filter(pa.array(keep)).dictionary_decode().dictionary_encode()


def _of_records(piece: RecordPiece, work: Work, report: Report) -> _Parsed:
    typed = read_record_columns(piece, work.declared, work.texts, work.missing)
    report.read += len(piece.records)
    faults = Faults(len(piece.records))
    for name in work.timestamps:
        _, values = typed[name]
        _add_values(name, values, unreadable(values.dictionary), faults, report)
    return _Parsed(typed, faults, "record", partial(_from, piece.first), partial(_values, dict(typed)))


def _of_table(piece: TablePiece, work: Work, report: Report) -> _Parsed:
    batch = piece.batch
    report.read += batch.num_rows
    faults = Faults(batch.num_rows)
    columns = {name: batch.column(batch.schema.get_field_index(name)) for name in work.declared}
    return _Parsed(
        _converted(columns, work.missing, piece.path, faults, work, report),
        faults,
        "row",
        partial(_from, piece.first),
        lambda row: {name: cell(column, row) for name, column in columns.items()},
    )


def _of_json(piece: JsonPiece, work: Work, report: Report, letters: RejectedRows) -> _Parsed:
    parsed = read_json_rows(piece, work.declared, work.missing)
    report.read += len(parsed.lines)
    malformed = [(line, text.decode("utf-8", "replace"), reason) for line, text, reason in parsed.malformed]
    _tell_lines(piece, malformed, report.malformed, report, letters)
    faults = Faults(len(parsed.lines))
    return _Parsed(
        _converted(parsed.columns, (), piece.path, faults, work, report),
        faults,
        "line",
        lambda rows: [parsed.lines[row][0] for row in rows],
        lambda row: json.loads(parsed.lines[row][1], parse_int=_whole),
    )


def _whole(digits: str) -> int | str:
    """A whole number; one that is longer than any that is read stays the text that it is."""
    return int(digits) if len(digits) < _MOST_DIGITS else digits


def _converted(
    columns: Mapping[str, Any], missing: Sequence[str], path: str, faults: Faults, work: Work, report: Report
) -> dict[str, TypedColumn]:
    typed: dict[str, TypedColumn] = {}
    for name, dtype in work.declared.items():
        column = columns[name]
        rows, result = read_table_column(name, column, dtype, missing, path, is_text=name in work.texts)
        if name in work.timestamps:
            result.refused.update(unreadable(result.values))
        if result.refused:
            values = column.take(pa.array(np.flatnonzero(np.asarray(pc.is_valid(rows)))))
            _add_values(name, pa.DictionaryArray.from_arrays(rows, as_texts(values)), result.refused, faults, report)
        typed[name] = dtype, pa.DictionaryArray.from_arrays(rows, result.values)
    return typed


def _of_csv(piece: Piece, work: Work, report: Report, letters: RejectedRows) -> _Parsed:
    parsed = read_columns(piece, work.delimiter, work.missing)
    report.read += parsed.rows
    ragged = [(line, fields, f"{len(fields)} instead of {len(piece.names)} fields") for line, fields in parsed.ragged]
    _tell_lines(piece, ragged, report.ragged, report, letters)
    faults = Faults(parsed.rows)
    typed: dict[str, TypedColumn] = {}
    for name, dtype in work.declared.items():
        texts = parsed.columns[name]
        result = convert(texts.dictionary, dtype)
        if name in work.timestamps:
            result.refused.update(unreadable(texts.dictionary))
        _add_values(name, texts, result.refused, faults, report)
        typed[name] = dtype, pa.DictionaryArray.from_arrays(texts.indices, result.values)
    return _Parsed(
        typed,
        faults,
        "line",
        partial(_lines, piece, work.delimiter, parsed.rows),
        lambda row: {name: column[row].as_py() for name, column in parsed.columns.items()},
        {name: parsed.columns[name] for name in piece.names if name not in work.declared},
    )


def _tell_lines(
    piece: Piece, lines: Sequence[tuple[int, Any, str]], found: Found, report: Report, letters: RejectedRows
) -> None:
    """Tells of (number, content, reason) of lines that are no rows."""
    report.read += len(lines)
    report.rejected += len(lines)
    found.add(len(lines), [(piece.path, f"line {line}", reason) for line, _, reason in lines[:SAMPLES]])
    for line, content, reason in lines:
        letters.write({"file": piece.path, "line": line, "reasons": [reason], "values": content})


def _narrowed(name: str, texts: Any, work: Work, report: Report) -> TypedColumn:
    """A column that the table does not declare, in the type that was assumed for it if that holds all values."""
    assumed = work.types.get(name, "none")
    needed = narrowest(texts.dictionary, assumed)
    report.types[name] = wider(report.types.get(name, "none"), needed)
    if needed != assumed or needed == "none":
        return "none", texts
    return needed, pa.DictionaryArray.from_arrays(texts.indices, convert(texts.dictionary, needed, clip=True).values)


def _add_values(name: str, texts: Any, refused: Mapping[int, str], faults: Faults, report: Report) -> None:
    """Adds the rows that hold refused values of a column, which are given by their places in its dictionary."""
    if not refused:
        return
    places = np.asarray(pc.fill_null(texts.indices, -1))
    rows = np.flatnonzero(np.isin(places, list(refused)))
    if len(rows):
        faults.add(
            rows,
            lambda row: str(texts[row].as_py())[:_CHARACTERS],
            lambda row: f"column {name!r} is {refused[int(places[row])]}",
            lambda count, samples: report.add_bad_values(name, count, samples, refused[int(places[rows[0]])]),
        )


def _named_splits(parsed: _Parsed, work: Work, report: Report) -> npt.NDArray[np.intp] | None:
    """Takes the column that names splits out of the others: the split of each row, or None where there is no column."""
    if work.split_column is None:
        return None
    _, column = parsed.typed.pop(work.split_column)
    texts = pc.fill_null(column.dictionary_decode().cast(pa.string()), "").dictionary_encode()
    known = {name: index for index, name in enumerate(work.folders)}
    places = [known.get(name, -1) for name in texts.dictionary.to_pylist()]
    refused = {index: "none of the splits" for index, place in enumerate(places) if place < 0}
    _add_values(work.split_column, texts, refused, parsed.faults, report)
    return np.array(places, np.intp)[np.asarray(texts.indices)]


def _read_labels(parsed: _Parsed, work: Work, report: Report) -> tuple[npt.NDArray[Any] | None, npt.NDArray[np.bool_]]:
    """The class of each row, where labels are classes, and which rows are to be dropped because they have no label."""
    if work.label is None:
        return None, np.zeros(len(parsed.faults.rejected), bool)
    good = np.flatnonzero(~parsed.faults.rejected)
    every = len(good) == len(parsed.faults.rejected)
    columns_of = {name: parsed.typed[name] for name in work.label.columns}
    columns = columns_of
    if not every:
        rows = pa.array(good)
        columns = {name: (kind, column.take(rows)) for name, (kind, column) in columns.items()}
    labels = read_labels(work.label, columns)
    report.labels.update(labels.counts)
    report.unknown.update(labels.unknown)
    dropped = np.zeros(len(parsed.faults.rejected), bool)
    if work.drop_unlabelled:
        dropped[good] = labels.missing
    elif labels.missing.any():
        parsed.faults.add(
            good[labels.missing], partial(_label, columns_of), lambda _: "no label", report.unlabelled.add
        )
    if labels.wrong.any():
        parsed.faults.add(
            good[labels.wrong], partial(_label, columns_of), lambda _: "no such label", report.bad_labels.add
        )
    if labels.classes is None or every:
        return labels.classes, dropped
    classes = np.zeros(len(dropped), labels.classes.dtype)
    classes[good] = labels.classes
    return classes, dropped


def _label(columns: Mapping[str, TypedColumn], row: int) -> str:
    return ", ".join(_shown(name, column[row].as_py()) for name, (_, column) in columns.items())


def _shown(name: str, value: Any) -> str:
    return f"{name} is empty" if value is None else f"{name}={value}"[:_CHARACTERS]


def _lines(piece: Piece, delimiter: str, every: int, rows: Sequence[int]) -> list[int]:
    """The lines at which some of every row start: the next ones, unless lines are empty or rows go over several."""
    lines = piece.data.count(b"\n") + (not piece.data.endswith(b"\n"))
    return _from(piece.line, rows) if lines == every else lines_of(piece, delimiter, rows)


def _from(first: int, rows: Sequence[int]) -> list[int]:
    return [first + row for row in rows]


def _values(typed: Mapping[str, TypedColumn], row: int) -> Mapping[str, Any]:
    return {name: column[row].as_py() for name, (_, column) in typed.items()}
