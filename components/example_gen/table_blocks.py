"""The blocks of files of typed columns, and the pieces in which one is read; as `csv_blocks` for CSV."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa

from components.example_gen.csv_blocks import BLOCK_BYTES, PIECE_BYTES
from components.example_gen.row_group import RowGroup
from components.example_gen.table_file import TableFile, TableSource


@dataclass(frozen=True)
class TableBlock:
    """Groups of one file, the first row of which is `first` (from 1).

    Args:
        path: the file.
        source: its format.
        first: number of the first row.
        groups: that follow each other; they were looked for once, and whoever reads the block need not.
    """

    path: str
    source: TableSource
    first: int
    groups: tuple[RowGroup, ...]

    @property
    def rows(self) -> int:
        """How many there are."""
        return sum(group.rows for group in self.groups)

    @property
    def bytes(self) -> int:
        """In memory, about."""
        return sum(group.bytes for group in self.groups)

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
    """The blocks of one file, in order; none when it holds no row. A group is never parted.

    Raises:
        DataError: the file is damaged.
    """
    parts: list[list[RowGroup]] = []
    size = 0
    for group in file.find_groups():
        if not group.rows:
            continue
        if parts and size + group.bytes <= block_bytes:
            parts[-1].append(group)
        else:
            parts.append([group])
            size = 0
        size += group.bytes
    blocks: list[TableBlock] = []
    first = 1
    for part in parts:
        blocks.append(TableBlock(file.path, source, first, tuple(part)))
        first += blocks[-1].rows
    return blocks


def read_table_pieces(
    block: TableBlock, columns: Sequence[str], piece_bytes: int = PIECE_BYTES
) -> Iterator[TablePiece]:
    """The rows of a block, about `piece_bytes` at a time.

    Raises:
        DataError: the file is damaged.
    """
    rows = max(1, piece_bytes * block.rows // max(1, block.bytes))
    first = block.first
    with TableFile(block.path, block.source) as file:
        for group in block.groups:
            for batch in file.read(group, columns, rows):
                yield TablePiece(block.path, first, batch)
                first += batch.num_rows
