"""Some blocks to one shard of each split, and a report of what was found."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress

import numpy as np
import pyarrow as pa

from components.example_gen.block_groups import AnyBlock
from components.example_gen.csv_blocks import Block, piece_bytes, read_pieces
from components.example_gen.joined_pieces import AnyPiece, gather, join
from components.example_gen.json_blocks import JsonBlock, read_json_pieces
from components.example_gen.piece_rows import Rows, read_rows
from components.example_gen.record_blocks import RecordBlock, read_record_pieces
from components.example_gen.rejected_rows import RejectedRows
from components.example_gen.report import Report
from components.example_gen.split_writer import SplitWriter
from components.example_gen.table_blocks import TableBlock, read_table_pieces
from components.example_gen.tfrecord import shard_name
from components.example_gen.work import Work
from schemas.errors import RunError, ScalableTFError
from schemas.storage_error import storage_error

_MOST_REJECTED = 1000  # of each shard, where not one may be rejected


def write_blocks(index: int, count: int, blocks: Sequence[AnyBlock], work: Work, rejected: str | None = None) -> Report:
    """Writes a shard of each split, with the rows of these blocks in their order.

    No shard is written when it is not wanted (`Work.wants`): the shards would be made anew.

    Args:
        index: number of the shard.
        count: number of all shards of a split.
        blocks: the records.
        work: what to do with them.
        rejected: file for the rows that something is wrong with: for the first 1,000, where none may be left out.
    """
    report = Report(written=dict.fromkeys(work.folders, 0))
    try:
        with ExitStack() as stack:
            writers = [
                stack.enter_context(SplitWriter(os.path.join(folder, shard_name(index, count))))
                for folder in work.folders.values()
            ]
            letters = stack.enter_context(
                RejectedRows(rejected, None if work.max_rejected_fraction > 0.0 else _MOST_REJECTED)
            )
            most = _piece_bytes(blocks, work)
            for pieces in gather((piece for block in blocks for piece in _pieces(block, work, most)), most):
                for rows in _rows(pieces, work, report, letters):
                    _write(rows, writers, work, report)
            if not work.wants(report):
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


def _write(rows: Rows, writers: Sequence[SplitWriter], work: Work, report: Report) -> None:
    for index, (name, writer) in enumerate(zip(work.folders, writers, strict=True)):
        chosen = np.flatnonzero(rows.splits == index)
        columns = {column: (kind, values.take(pa.array(chosen))) for column, (kind, values) in rows.columns.items()}
        writer.write([rows.examples[row] for row in chosen.tolist()], columns)
        report.written[name] += len(chosen)
        if rows.classes is not None:
            report.add_classes(name, np.unique(rows.classes[chosen]).tolist())


def _rows(pieces: list[AnyPiece], work: Work, report: Report, letters: RejectedRows) -> Iterator[Rows]:
    """The wanted rows of some pieces, which are read together unless something is wrong with them."""
    if len(pieces) > 1 and work.row_ids is None:  # joined, rows would no longer know their files
        together = Report()
        with suppress(ScalableTFError):
            rows = read_rows(join(pieces), work, together, RejectedRows())
            if together.sound:
                report.add(together)
                if rows is not None and work.wants(report):
                    yield rows
                return
    # One by one: what is wrong is said with its place.
    for piece in pieces:
        rows = read_rows(piece, work, report, letters)
        if rows is not None:
            yield rows


def _piece_bytes(blocks: Sequence[AnyBlock], work: Work) -> int:
    columns = max(len(block.names) if isinstance(block, Block) else 0 for block in blocks)
    return piece_bytes(work.block_bytes, columns)


def _pieces(block: AnyBlock, work: Work, most: int) -> Iterator[AnyPiece]:
    if isinstance(block, RecordBlock):
        return read_record_pieces(block, most)
    if isinstance(block, TableBlock):
        return read_table_pieces(block, list(work.declared), most)
    if isinstance(block, JsonBlock):
        return read_json_pieces(block, most)
    return read_pieces(block, work.delimiter, most)
