"""The blocks of files of typed columns, and the pieces in which one is read; as `csv_blocks` for CSV."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa

from components.example_gen.csv_blocks import BLOCK_BYTES, PIECE_BYTES
from components.example_gen.table_file import TableFile, TableSource


@dataclass(frozen=True)
class TableBlock:
    """Groups of one file from the one numbered `group` on, `count` of them, the first row of which is `first` (from 1).

    Args:
        path: the file.
        source: its format.
        first: number of the first row.
        group: number of the first group, from 0.
        count: groups.
        rows: in them.
        bytes: in memory, about.
    """

    path: str
    source: TableSource
    first: int
    group: int
    count: int
    rows: int
    bytes: int

    @property
    def place(self) -> str:
        """Where it starts, in words."""
        return f"{self.path}, from row {self.first}"


@dataclass(frozen=True)
class TablePiece:
    """Rows in memory, and the number in the file of the first."""

    path: str
    first: int
    batch: pa.RecordBatch


def split_table_blocks(file: TableFile, source: TableSource, block_bytes: int = BLOCK_BYTES) -> list[TableBlock]:
    """The blocks of one file, in order; none when it holds no row. A group is never parted."""
    blocks: list[TableBlock] = []
    first = 1
    for number, group in enumerate(file.groups):
        last = blocks[-1] if blocks else None
        if not group.rows:
            continue
        if last is not None and last.bytes + group.bytes <= block_bytes:
            count, rows, size = number + 1 - last.group, last.rows + group.rows, last.bytes + group.bytes
            blocks[-1] = TableBlock(file.path, source, last.first, last.group, count, rows, size)
        else:
            blocks.append(TableBlock(file.path, source, first, number, 1, group.rows, group.bytes))
        first += group.rows
    return blocks


def read_table_pieces(
    block: TableBlock, columns: Sequence[str], piece_bytes: int = PIECE_BYTES
) -> Iterator[TablePiece]:
    """The rows of a block, about `piece_bytes` at a time.

    Raises:
        DataError: the file is damaged.
    """
    rows = max(1, piece_bytes * block.rows // max(1, block.bytes))
    file, first = TableFile(block.path, block.source), block.first
    for group in range(block.group, block.group + block.count):
        for batch in file.read(group, columns, rows):
            yield TablePiece(block.path, first, batch)
            first += batch.num_rows
