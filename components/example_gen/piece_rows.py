"""The rows of a piece: typed, labelled, serialized and given to splits; what is wrong with them is reported."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from components.example_gen.csv_blocks import Piece
from components.example_gen.csv_columns import Columns, RaggedRowsError, lines_of, read_columns
from components.example_gen.encode import encode_examples
from components.example_gen.joined_pieces import AnyPiece
from components.example_gen.json_blocks import JsonPiece
from components.example_gen.json_rows import read_json_rows
from components.example_gen.labels import Labels, TypedColumn, read_labels
from components.example_gen.record_blocks import RecordPiece
from components.example_gen.record_columns import read_record_columns
from components.example_gen.report import SAMPLES, Report
from components.example_gen.split import assign_splits
from components.example_gen.table_blocks import TablePiece
from components.example_gen.table_columns import as_texts, read_table_column
from components.example_gen.timestamps import unreadable
from components.example_gen.values import convert, narrowest, wider
from components.example_gen.work import Work

_CHARACTERS = 60


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


def read_rows(piece: AnyPiece, work: Work, report: Report) -> Rows | None:
    """The rows of a piece that are wanted.

    Args:
        piece: of a block.
        work: what to do with it.
        report: gets what is found.

    Returns:
        None once the rows are not wanted (`Work.wants`), or where there are none.
    """
    if isinstance(piece, RecordPiece):
        typed: dict[str, TypedColumn] | None = _of_records(piece, work, report)
    elif isinstance(piece, TablePiece):
        typed = _of_table(piece, work, report)
    elif isinstance(piece, JsonPiece):
        typed = _of_json(piece, work, report)
    else:
        typed = _of_csv(piece, work, report)
    if typed is None:
        return None
    splits = _named_splits(piece, typed, work, report)
    labels = _check_labels(piece, typed, work, report)
    if labels is None or not work.wants(report):
        return None
    keep = ~labels.missing
    if not keep.all():
        rows = pa.array(keep)
        typed = {name: (kind, values.filter(rows)) for name, (kind, values) in typed.items()}
    examples = encode_examples(typed) if keep.any() else []
    chosen = np.array(assign_splits(examples, work.buckets), np.intp) if splits is None else splits[keep]
    return Rows(typed, examples, chosen, None if labels.classes is None else labels.classes[keep])


def _named_splits(
    piece: AnyPiece, typed: dict[str, TypedColumn], work: Work, report: Report
) -> npt.NDArray[np.intp] | None:
    """Takes the column that names splits out of the others: the split of each row, or None where there is no column."""
    if work.split_column is None:
        return None
    _, column = typed.pop(work.split_column)
    texts = pc.fill_null(column.dictionary_decode().cast(pa.string()), "").dictionary_encode()
    known = {name: index for index, name in enumerate(work.folders)}
    places = [known.get(name, -1) for name in texts.dictionary.to_pylist()]
    refused = {index: "none of them" for index, place in enumerate(places) if place < 0}
    if refused:
        _report_values(work.split_column, piece, texts, refused, work, report)
    return np.array(places, np.intp)[np.asarray(texts.indices)]


def _of_records(piece: RecordPiece, work: Work, report: Report) -> dict[str, TypedColumn]:
    typed = read_record_columns(piece, work.declared, work.texts, work.missing)
    report.read += len(piece.records)
    for name, (_, values) in typed.items():
        report.filled[name] = report.filled.get(name, 0) + len(values) - values.null_count
        if name in work.timestamps and (refused := unreadable(values.dictionary)):
            _report_values(name, piece, values, refused, work, report)
    return typed


def _of_table(piece: TablePiece, work: Work, report: Report) -> dict[str, TypedColumn]:
    report.read += piece.batch.num_rows
    columns = {name: piece.batch.column(piece.batch.schema.get_field_index(name)) for name in work.declared}
    return _of_columns(piece, columns, work.missing, work, report)


def _of_json(piece: JsonPiece, work: Work, report: Report) -> dict[str, TypedColumn] | None:
    parsed = read_json_rows(piece, work.declared, work.missing)
    if parsed.malformed:
        first = [(piece.path, f"line {line}", wrong) for line, _, wrong in parsed.malformed[:SAMPLES]]
        report.malformed.add(len(parsed.malformed), first)
        return None
    report.read += len(parsed.lines)
    return _of_columns(piece, parsed.columns, (), work, report) if parsed.lines else None


def _of_columns(
    piece: AnyPiece, columns: Mapping[str, Any], missing: Sequence[str], work: Work, report: Report
) -> dict[str, TypedColumn]:
    found: dict[str, TypedColumn] = {}
    for name, dtype in work.declared.items():
        column = columns[name]
        rows, result = read_table_column(name, column, dtype, missing, piece.path, is_text=name in work.texts)
        report.filled[name] = report.filled.get(name, 0) + len(rows) - rows.null_count
        if name in work.timestamps:
            result.refused.update(unreadable(result.values))
        if result.refused:
            values = column.take(pa.array(np.flatnonzero(np.asarray(pc.is_valid(rows)))))
            texts = pa.DictionaryArray.from_arrays(rows, as_texts(values))
            _report_values(name, piece, texts, result.refused, work, report)
        found[name] = dtype, pa.DictionaryArray.from_arrays(rows, result.values)
    return found


def _of_csv(piece: Piece, work: Work, report: Report) -> dict[str, TypedColumn] | None:
    try:
        parsed = read_columns(piece, work.delimiter, work.missing)
    except RaggedRowsError as ragged:
        wrong = f"instead of {len(piece.names)} fields"
        first = [(piece.path, f"line {line}", f"{fields} {wrong}") for line, fields in ragged.rows[:SAMPLES]]
        report.ragged.add(len(ragged.rows), first)
        return None
    report.read += parsed.rows
    if not parsed.rows:
        return None
    return {name: _typed(name, piece, parsed, work, report) for name in piece.names}


def _typed(name: str, piece: Piece, parsed: Columns, work: Work, report: Report) -> TypedColumn:
    texts = parsed.columns[name]
    declared = work.declared.get(name)
    if declared is None:
        assumed = work.types.get(name, "none")
        needed = narrowest(texts.dictionary, assumed)
        report.types[name] = wider(report.types.get(name, "none"), needed)
        if needed != assumed or needed == "none":
            return "none", texts
        declared = needed
        result = convert(texts.dictionary, declared, clip=True)
    else:
        result = convert(texts.dictionary, declared)
        report.filled[name] = report.filled.get(name, 0) + len(texts) - texts.null_count
        if name in work.timestamps:
            result.refused.update(unreadable(texts.dictionary))
    if result.refused:
        _report_values(name, piece, texts, result.refused, work, report)
    return declared, pa.DictionaryArray.from_arrays(texts.indices, result.values)


def _report_values(
    name: str, piece: AnyPiece, texts: Any, refused: Mapping[int, str], work: Work, report: Report
) -> None:
    bad = np.isin(np.asarray(pc.fill_null(texts.indices, -1)), list(refused))
    rows = np.flatnonzero(bad)[:SAMPLES]
    shown = [texts[int(row)].as_py()[:_CHARACTERS] for row in rows]
    places = _places(piece, [int(row) for row in rows], work)
    report.add_bad_values(
        name,
        int(bad.sum()),
        [(piece.path, place, text) for place, text in zip(places, shown, strict=True)],
        refused[texts.indices[int(rows[0])].as_py()],
    )


def _check_labels(piece: AnyPiece, typed: Mapping[str, TypedColumn], work: Work, report: Report) -> Labels | None:
    """The labels; None where they cannot be read."""
    if any(name in report.bad_values for name in work.label.columns):
        return None
    labels = read_labels(work.label, typed)
    report.labels.update(labels.counts)
    unlabelled = int(labels.missing.sum())
    if unlabelled and work.drop_unlabelled:
        report.dropped += unlabelled
    elif unlabelled:
        report.unlabelled.add(unlabelled, _samples(piece, typed, np.flatnonzero(labels.missing), work))
    if labels.wrong.any():
        report.bad_labels.add(int(labels.wrong.sum()), _samples(piece, typed, np.flatnonzero(labels.wrong), work))
    return labels


def _samples(
    piece: AnyPiece, typed: Mapping[str, TypedColumn], rows: npt.NDArray[np.intp], work: Work
) -> list[tuple[str, str, str]]:
    first = [int(row) for row in rows[:SAMPLES]]
    names = list(work.label.columns)
    shown = [", ".join(_shown(name, typed[name][1][row].as_py()) for name in names) for row in first]
    return [(piece.path, place, text) for place, text in zip(_places(piece, first, work), shown, strict=True)]


def _shown(name: str, value: Any) -> str:
    return f"{name} is empty" if value is None else f"{name}={value}"[:_CHARACTERS]


def _places(piece: AnyPiece, rows: Sequence[int], work: Work) -> list[str]:
    """Where in the file these rows (ascending) of a piece are, in words."""
    if isinstance(piece, RecordPiece):
        return [f"record {piece.first + row}" for row in rows]
    if isinstance(piece, TablePiece):
        return [f"row {piece.first + row}" for row in rows]
    if isinstance(piece, JsonPiece):
        lines = piece.lines
        return [f"line {lines[row][0]}" for row in rows]
    return [f"line {line}" for line in lines_of(piece, work.delimiter, rows)]
