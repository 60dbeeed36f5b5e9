"""The ingestion of a set of files, as one Beam job of one stage.

Each block, or several small files together, become one shard of each split. Nothing is shuffled: rows stay in their
order, the shards are numbered, and so the same files give the same shards on one process or on a cluster. A first job
assumes for each undeclared column the type that the first rows of the files show; should a later block need a wider
one, its report says so, and a second job, for which all is then known, makes all shards anew.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import cast

import apache_beam as beam

from components.example_gen.block_groups import AnyBlock, group_blocks
from components.example_gen.block_writer import not_written, write_blocks
from components.example_gen.column_check import check_columns
from components.example_gen.csv_blocks import BLOCK_BYTES, Block, read_pieces, split_blocks
from components.example_gen.csv_header import read_header
from components.example_gen.feature_check import check_features
from components.example_gen.json_blocks import split_json_blocks
from components.example_gen.json_check import check_members
from components.example_gen.piece_rows import read_rows
from components.example_gen.record_blocks import split_record_blocks
from components.example_gen.rejected_rows import RejectedRows, collect_rejected
from components.example_gen.report import Report
from components.example_gen.row_ids import common_folder
from components.example_gen.table_blocks import split_table_blocks
from components.example_gen.table_check import check_table
from components.example_gen.table_file import TableFile, TableSource
from components.example_gen.tfrecord import write_whole
from components.example_gen.values import ValueType
from components.example_gen.verdict import check_report
from components.example_gen.work import Work
from configs.data import Source
from schemas.column_files import column_file
from schemas.errors import DataError, RunError, ScalableTFError
from schemas.raw_columns import RawColumns

REJECTED = "rejected.jsonl"
"""Name of the file of rejected rows."""
_REPORTS = ".reports"
_FAILED = "failed.json"
_GUESS_BYTES = 64 << 10


@dataclass(frozen=True)
class Ingestion:
    """How files become examples.

    Args:
        table: raw columns of the feature table: their types are binding, the label, if any, is checked.
        splits: hash buckets of each split, by name; with a column that names the split, the names alone count.
        source: format of the files.
        delimiter: between fields of CSV.
        missing: texts that stand for a missing value, beside the empty text.
        drop_unlabelled: drop rows without a label, rather than refuse them.
        block_bytes: of a file, or of small files together, that become one shard of each split.
        max_rejected_fraction: share of the rows that may be left out because something is wrong with them.
    """

    table: RawColumns
    splits: Mapping[str, int]
    source: Source = "csv"
    delimiter: str = ","
    missing: tuple[str, ...] = ()
    drop_unlabelled: bool = False
    block_bytes: int = BLOCK_BYTES
    max_rejected_fraction: float = 0.0


@dataclass(frozen=True)
class Ingested:
    """What was written.

    Args:
        rows: of each split.
        dropped: rows without a label that were left out.
        types: of all columns.
        rejected: rows that were left out because something was wrong with them; `REJECTED` in the folder lists them.
        empty: columns of the table that have no value in any row.
    """

    rows: dict[str, int]
    dropped: int
    types: dict[str, ValueType]
    rejected: int = 0
    empty: tuple[str, ...] = ()


def ingest(
    files: Sequence[str],
    folder: str,
    ingestion: Ingestion,
    make_pipeline: Callable[[], beam.Pipeline],
    refused: Path | None = None,
) -> Ingested:
    """Writes gzipped TFRecords of tf.Example to `folder`/Split-NAME/, and rejected rows to `folder`/rejected.jsonl.

    Args:
        files: plain or packed, in the order in which their rows are to come.
        folder: where the splits go; must be empty or absent, and reachable for every worker.
        ingestion: how.
        make_pipeline: gives the Beam pipeline of the engine.
        refused: gets the rejected rows when they are too many; default: they are not listed then.

    Raises:
        DataError: something is wrong with the data; nothing is left in `folder`.
        SchemaError: the label's expression does not give yes or no.
    """
    table = ingestion.table
    split = {"csv": _csv_blocks, "tfrecord": _record_blocks, "jsonl": _json_blocks}
    blocks = split.get(ingestion.source, _table_blocks)(files, ingestion)
    work = Work(
        folders={name: os.path.join(folder, f"Split-{name}") for name in ingestion.splits},
        buckets=tuple(ingestion.splits.values()),
        declared=table.columns,
        types={},
        label=table.label,
        timestamps=table.timestamps,
        split_column=table.split,
        drop_unlabelled=ingestion.drop_unlabelled,
        block_bytes=ingestion.block_bytes,
        copied=table.copied,
        row_ids=common_folder(files) if table.row_ids else None,
        max_rejected_fraction=ingestion.max_rejected_fraction,
        delimiter=ingestion.delimiter,
        missing=ingestion.missing,
    )
    work = replace(work, types=_first_types(blocks, work))
    groups = group_blocks(blocks, ingestion.block_bytes)
    reports = os.path.join(folder, _REPORTS)
    try:
        report = _run(groups, work, reports, make_pipeline)
        if work.accepts(report) and not work.wants(report):
            work = replace(work, types=report.types)
            report = _run(groups, work, reports, make_pipeline)
        if ingestion.source == "tfrecord":
            check_features(report, files, table)
        if ingestion.source == "jsonl":
            check_members(report, files, table)
        parts = [Path(_rejected_path(reports, index)) for index in range(len(groups))]
        refuses = not report.error and not work.accepts(report)
        listed = refuses and refused is not None and collect_rejected(parts, refused)
        try:
            check_report(
                report, _files(files), table, ingestion.splits, ingestion.max_rejected_fraction, ingestion.missing
            )
        except DataError as error:
            error.fix += f" {refused} lists the rows." if listed else ""
            raise
        if not work.wants(report) or report.kept != sum(report.written.values()):
            raise RunError(
                "Rows were lost on the way from the files to the examples.",
                where=_files(files),
                received=f"{report.read} read, {report.written} written, {report.rejected} rejected, "
                f"{report.dropped} dropped",
                fix="The files changed while they were read, or the engine lost work; run again.",
            )
        collect_rejected(parts, Path(folder, REJECTED))
    except BaseException:
        columns = [os.path.dirname(column_file(os.path.join(split, "shard"))) for split in work.folders.values()]
        for path in (*work.folders.values(), *columns, reports):
            shutil.rmtree(path, ignore_errors=True)
        raise
    shutil.rmtree(reports)
    empty = tuple(name for name in table.columns if not report.filled.get(name))
    return Ingested(report.written, report.dropped, {**table.columns, **report.types}, report.rejected, empty)


def _csv_blocks(files: Sequence[str], ingestion: Ingestion) -> Sequence[AnyBlock]:
    headers = [read_header(path, ingestion.delimiter) for path in files]
    check_columns(headers, ingestion.table, ingestion.delimiter)
    blocks = [block for header in headers for block in split_blocks(header, ingestion.delimiter, ingestion.block_bytes)]
    if not blocks:
        raise DataError(
            "The data holds a header, but no row.", where=_files(files), received="0 rows", fix="Give data with rows."
        )
    return blocks


def _table_blocks(files: Sequence[str], ingestion: Ingestion) -> Sequence[AnyBlock]:
    blocks: list[AnyBlock] = []
    source = cast(TableSource, ingestion.source)
    for path in files:
        with TableFile(path, source) as file:
            check_table(file, ingestion.table)
            blocks += split_table_blocks(file, source, ingestion.block_bytes)
    if not blocks:
        raise DataError("The data holds no row.", where=_files(files), received="0 rows", fix="Give data with rows.")
    return blocks


def _record_blocks(files: Sequence[str], ingestion: Ingestion) -> Sequence[AnyBlock]:
    blocks = [block for path in files for block in split_record_blocks(path, ingestion.block_bytes)]
    if not blocks:
        raise DataError(
            "The data holds no record.", where=_files(files), received="0 records", fix="Give data with records."
        )
    return blocks


def _json_blocks(files: Sequence[str], ingestion: Ingestion) -> Sequence[AnyBlock]:
    blocks = [block for path in files for block in split_json_blocks(path, ingestion.block_bytes)]
    if not blocks:
        raise DataError("The data holds no line.", where=_files(files), received="0 lines", fix="Give data with lines.")
    return blocks


def _run(
    groups: Sequence[tuple[AnyBlock, ...]], work: Work, reports: str, make_pipeline: Callable[[], beam.Pipeline]
) -> Report:
    shutil.rmtree(reports, ignore_errors=True)
    try:
        os.makedirs(reports)
    except OSError as error:
        raise not_written(error, os.path.dirname(reports)) from error
    with make_pipeline() as pipeline:
        _ = (
            pipeline
            | "Blocks" >> beam.Create(list(enumerate(groups)))
            | "Write" >> beam.ParDo(_Write(len(groups), work, reports))
        )
    combined = Report()
    for index, group in enumerate(groups):
        try:
            combined.add(_read_report(_report_path(reports, index)))
        except FileNotFoundError as error:
            raise RunError(
                "A part of the data was not ingested: its report is missing.",
                where=group[0].place,
                fix="Check that every worker of the engine can write to the output folder, then run again.",
            ) from error
    return combined


class _Write(beam.DoFn):
    """Writes the shards and the report of each group of blocks; after an error only reports that repeat it.

    A store that is dead would be asked for minutes by each of thousands of blocks.
    """

    def __init__(self, count: int, work: Work, reports: str) -> None:
        self._count = count
        self._work = work
        self._reports = reports

    def process(self, element: tuple[int, tuple[AnyBlock, ...]]) -> Iterator[int]:
        index, blocks = element
        failed = os.path.join(self._reports, _FAILED)
        if os.path.exists(failed):
            report = _read_report(failed)
        else:
            report = write_blocks(index, self._count, blocks, self._work, _rejected_path(self._reports, index))
        write_whole(_report_path(self._reports, index), report.to_json().encode())
        if report.error and not os.path.exists(failed):
            write_whole(failed, Report(error=report.error).to_json().encode())
        yield index


def _report_path(folder: str, index: int) -> str:
    return os.path.join(folder, f"shard-{index:05d}.json")


def _read_report(path: str) -> Report:
    with open(path, encoding="utf-8") as file:
        return Report.from_json(file.read())


def _rejected_path(folder: str, index: int) -> str:
    return os.path.join(folder, f"shard-{index:05d}-{REJECTED}")


def _files(files: Sequence[str]) -> str:
    return files[0] if len(files) == 1 else f"{os.path.dirname(files[0])} ({len(files)} files)"


def _first_types(blocks: Sequence[AnyBlock], work: Work) -> dict[str, ValueType]:
    """The types that the first rows of each file need, of the columns of CSV that the table does not declare."""
    report = Report()
    first: dict[str, Block] = {}
    for block in blocks:
        if isinstance(block, Block) and not work.declared.keys() >= set(block.names):
            first.setdefault(block.path, block)
    with suppress(ScalableTFError):  # the job will find it again
        for block in first.values():
            for piece in islice(read_pieces(block, work.delimiter, _GUESS_BYTES), 1):
                read_rows(piece, work, report, RejectedRows())
    return report.types
