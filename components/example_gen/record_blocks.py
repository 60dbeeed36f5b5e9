"""The blocks of TFRecord files, and the pieces in which one is read with bounded memory; as `csv_blocks` for CSV."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice

from components.example_gen.csv_blocks import BLOCK_BYTES, PIECE_BYTES
from components.example_gen.data_files import size_of
from components.example_gen.packing import UNPACKED
from components.example_gen.record_file import RecordFile


@dataclass(frozen=True)
class RecordBlock:
    """Records of one file: `count` from the one numbered `first` (from 1) at `offset`, None for all the rest.

    `bytes`: in them, of a gzip file about.
    """

    path: str
    first: int = 1
    offset: int = 0
    count: int | None = None
    bytes: int = field(default=0, compare=False)

    @property
    def place(self) -> str:
        """Where it starts, in words."""
        return f"{self.path}, from record {self.first}"


@dataclass(frozen=True)
class RecordPiece:
    """Records in memory, and the number in the file of the first."""

    path: str
    first: int
    records: list[bytes]


def split_record_blocks(path: str, block_bytes: int = BLOCK_BYTES) -> list[RecordBlock]:
    """The blocks of one file, in order; none when it holds no record. A gzip file is one block.

    Raises:
        DataError: the file is cut off, damaged, or no TFRecord file.
    """
    with RecordFile(path) as file:
        if file.compressed:
            whole = RecordBlock(path, bytes=UNPACKED * size_of(path))
            return [whole] if next(file.records(), None) is not None else []
        blocks: list[RecordBlock] = []
        first, offset, number = 1, 0, 0
        for number, start in enumerate(file.offsets(), 1):
            if file.position - offset > block_bytes and number > first:
                blocks.append(RecordBlock(path, first, offset, number - first, start - offset))
                first, offset = number, start
        return [*blocks, RecordBlock(path, first, offset, number + 1 - first, file.position - offset)] if number else []


def read_record_pieces(block: RecordBlock, piece_bytes: int = PIECE_BYTES) -> Iterator[RecordPiece]:
    """The records of a block, about `piece_bytes` at a time.

    Raises:
        DataError: the file is cut off or damaged.
    """
    first, records, size = block.first, [], 0
    with RecordFile(block.path, block.offset) as file:
        for _, record in islice(file.records(), block.count):
            records.append(record)
            size += len(record)
            if size >= piece_bytes:
                yield RecordPiece(block.path, first, records)
                first, records, size = first + len(records), [], 0
    if records:
        yield RecordPiece(block.path, first, records)
