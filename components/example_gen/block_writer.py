"""One block to one shard of each split, and a report of what was found."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from components.example_gen.csv_blocks import Block, Piece, read_pieces
from components.example_gen.csv_columns import Columns, RaggedRowsError, lines_of, read_columns
from components.example_gen.encode import encode_examples
from components.example_gen.labels import Labels, TypedColumn, read_labels
from components.example_gen.record_blocks import RecordBlock, RecordPiece, read_record_pieces
from components.example_gen.record_columns import read_record_columns
from components.example_gen.report import SAMPLES, Report
from components.example_gen.split import assign_splits
from components.example_gen.split_writer import SplitWriter
from components.example_gen.tfrecord import shard_name
from components.example_gen.timestamps import unreadable
from components.example_gen.values import ValueType, convert, narrowest, wider
from schemas.errors import RunError, ScalableTFError
from schemas.features import Dtype, Label
from schemas.storage_error import storage_error

_CHARACTERS = 60


@dataclass(frozen=True)
class Work:
    """What all blocks of a run have in common.

    Args:
        folders: folder of each split, by its name.
        buckets: hash buckets of each split, in the same order.
        declared: types that columns must have.
        types: types assumed for all other columns.
        label: the label of the feature table.
        timestamps: columns of text that must hold timestamps.
        drop_unlabelled: drop rows without a label, rather than report them.
        delimiter: between fields.
        missing: texts that stand for a missing value, beside the empty text.
        split_column: names each row's split; default: the hash of the row decides.
    """

    folders: Mapping[str, str]
    buckets: tuple[int, ...]
    declared: Mapping[str, Dtype]
    types: Mapping[str, ValueType]
    label: Label
    drop_unlabelled: bool
    delimiter: str
    missing: tuple[str, ...]
    timestamps: tuple[str, ...] = ()
    split_column: str | None = None


@dataclass(frozen=True)
class _Made:
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


def write_block(index: int, count: int, block: Block | RecordBlock, work: Work) -> Report:
    """Writes the shards of one block.

    No shard is written when the report is not sound, or when it asks for wider types than were assumed: the shards
    would be made anew.

    Args:
        index: number of the block.
        count: number of all blocks.
        block: the records.
        work: what to do with them.
    """
    report = Report(blocks=1, written=dict.fromkeys(work.folders, 0))
    try:
        with ExitStack() as stack:
            writers = [
                stack.enter_context(SplitWriter(os.path.join(folder, shard_name(index, count))))
                for folder in work.folders.values()
            ]
            for piece in _pieces(block, work):
                made = _made(piece, work, report)
                if made is not None:
                    _write(made, writers, work, report)
            if not wanted(report, work.types):
                for writer in writers:
                    writer.discard()
    except ScalableTFError as error:
        report.error = error.to_dict()
    except OSError as error:
        # Reading has errors of its own, so it is writing that fails; without the shard there is room for the report.
        report.error = not_written(error, next(iter(work.folders.values()))).to_dict()
    return report


def not_written(error: OSError, folder: str) -> RunError:
    """The error of examples that cannot be written."""
    return storage_error(error, folder) or RunError(
        f"The examples cannot be written: {error.strerror or error}.",
        where=error.filename or folder,
        fix="Check output_dir and what is in its place.",
    )


def wanted(report: Report, types: Mapping[str, ValueType]) -> bool:
    """Whether the shards of these reports are what the run is to give."""
    return report.sound and all(kind == types.get(name, "none") for name, kind in report.types.items())


def _write(made: _Made, writers: Sequence[SplitWriter], work: Work, report: Report) -> None:
    for index, (name, writer) in enumerate(zip(work.folders, writers, strict=True)):
        rows = np.flatnonzero(made.splits == index)
        columns = {column: (kind, values.take(pa.array(rows))) for column, (kind, values) in made.columns.items()}
        writer.write([made.examples[row] for row in rows.tolist()], columns)
        report.written[name] += len(rows)
        if made.classes is not None:
            report.add_classes(name, np.unique(made.classes[rows]).tolist())


def _pieces(block: Block | RecordBlock, work: Work) -> Iterator[Piece | RecordPiece]:
    return read_record_pieces(block) if isinstance(block, RecordBlock) else read_pieces(block, work.delimiter)


def _made(piece: Piece | RecordPiece, work: Work, report: Report) -> _Made | None:
    """The rows of a piece, or None once they are not wanted."""
    typed = _of_records(piece, work, report) if isinstance(piece, RecordPiece) else _of_csv(piece, work, report)
    if typed is None:
        return None
    splits = _named_splits(piece, typed, work, report)
    labels = _check_labels(piece, typed, work, report)
    if labels is None or not wanted(report, work.types):
        return None
    keep = ~labels.missing
    if not keep.all():
        rows = pa.array(keep)
        typed = {name: (kind, values.filter(rows)) for name, (kind, values) in typed.items()}
    examples = encode_examples(typed) if keep.any() else []
    chosen = np.array(assign_splits(examples, work.buckets), np.intp) if splits is None else splits[keep]
    return _Made(typed, examples, chosen, None if labels.classes is None else labels.classes[keep])


def _named_splits(
    piece: Piece | RecordPiece, typed: dict[str, TypedColumn], work: Work, report: Report
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
    texts = {name for name, dtype in work.label.columns.items() if dtype == "string"} | {*work.timestamps}
    if work.split_column is not None:
        texts.add(work.split_column)
    typed = read_record_columns(piece, work.declared, texts, work.missing)
    report.read += len(piece.records)
    for name, (_, values) in typed.items():
        report.filled[name] = report.filled.get(name, 0) + len(values) - values.null_count
        if name in work.timestamps and (refused := unreadable(values.dictionary)):
            _report_values(name, piece, values, refused, work, report)
    return typed


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
    name: str, piece: Piece | RecordPiece, texts: Any, refused: Mapping[int, str], work: Work, report: Report
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


def _check_labels(
    piece: Piece | RecordPiece, typed: Mapping[str, TypedColumn], work: Work, report: Report
) -> Labels | None:
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
    piece: Piece | RecordPiece, typed: Mapping[str, TypedColumn], rows: npt.NDArray[np.intp], work: Work
) -> list[tuple[str, str, str]]:
    first = [int(row) for row in rows[:SAMPLES]]
    names = list(work.label.columns)
    shown = [", ".join(_shown(name, typed[name][1][row].as_py()) for name in names) for row in first]
    return [(piece.path, place, text) for place, text in zip(_places(piece, first, work), shown, strict=True)]


def _shown(name: str, value: Any) -> str:
    return f"{name} is empty" if value is None else f"{name}={value}"[:_CHARACTERS]


def _places(piece: Piece | RecordPiece, rows: Sequence[int], work: Work) -> list[str]:
    """Where in the file these rows (ascending) of a piece are, in words."""
    if isinstance(piece, RecordPiece):
        return [f"record {piece.first + row}" for row in rows]
    return [f"line {line}" for line in lines_of(piece, work.delimiter, rows)]
