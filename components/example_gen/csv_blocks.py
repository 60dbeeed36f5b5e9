"""Blocks, the elements of ingestion's Beam job, and the pieces in which a block is read with bounded memory.

Both start and end at record boundaries, so that a block means the same on whatever worker reads it. A source of
another format gives blocks of its own and its own way to read them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import ClassVar

from components.example_gen.csv_header import Header
from components.example_gen.csv_records import UnclosedQuoteError, last_record_end, open_quote
from components.example_gen.data_files import size_of
from components.example_gen.packing import UNPACKED
from components.example_gen.text_file import BOM, TextFile, TextSource
from schemas.errors import DataError

BLOCK_BYTES = 16 << 20
"""Bytes of CSV that become one shard of each split. A packed file cannot be entered in the middle: it is one
block."""
PIECE_BYTES = 4 << 20
"""Bytes of a file that are in memory at a time, unless blocks are small or rows very wide."""
_PIECES = 8
"""A block is at least so many of the pieces that it is put together from, and so has nearly the size that it should."""
_COLUMN_BYTES = 8 << 10  # Each column costs the same few calls for every piece, however few rows it has.
RECORD_BYTES = 64 << 20
"""Longest record; a longer one is taken for an unclosed quote."""


@dataclass(frozen=True)
class Block:
    """A run of whole records of one file: `length` (unpacked) bytes from `offset`, None for all the rest.

    `bytes`: how many there are, of a packed file about.
    """

    path: str
    names: tuple[str, ...]
    line: int
    offset: int
    length: int | None = None
    bytes: int = field(default=0, compare=False)
    source: ClassVar[TextSource] = "csv"

    @property
    def place(self) -> str:
        """Where it starts, in words."""
        return f"{self.path}, from line {self.line}"


@dataclass(frozen=True)
class Piece:
    """A run of whole records in memory, and the line of the file at which it starts."""

    path: str
    names: tuple[str, ...]
    line: int
    offset: int
    data: bytes


def split_blocks(header: Header, delimiter: str, block_bytes: int = BLOCK_BYTES) -> list[Block]:
    """The blocks of one file, in order, about equally large; none when there is nothing behind the header.

    Args:
        header: of the file.
        delimiter: between fields.
        block_bytes: none is much larger, unless one record is.

    Raises:
        DataError: an unclosed quote (found here only in files of more than one block).
    """
    whole = Block(header.path, header.names, header.line, header.offset)
    return part_blocks(whole, lambda block, most: read_pieces(block, delimiter, most), block_bytes)


def part_blocks(whole: Block, read: Callable[[Block, int], Iterator[Piece]], block_bytes: int) -> list[Block]:
    """The parts of a block that is all the rest of a file.

    Args:
        whole: the block.
        read: its pieces, of about so many bytes.
        block_bytes: no part is much larger, unless one record is.

    Raises:
        DataError: the file is damaged, or what `read` raises (only where there is more than one part).
    """
    with TextFile(whole.path, whole.source) as file:
        file.seek(whole.offset)
        if not file.read(1):
            return []
        if file.compressed:
            return [replace(whole, bytes=UNPACKED * size_of(whole.path))]
    size = size_of(whole.path) - whole.offset
    if size <= block_bytes:
        return [replace(whole, bytes=size)]
    block_bytes = math.ceil(size / math.ceil(size / block_bytes))
    blocks: list[Block] = []
    start, line, size = whole.offset, whole.line, 0
    for piece in read(whole, min(PIECE_BYTES, math.ceil(block_bytes / _PIECES))):
        if size and size + len(piece.data) // 2 > block_bytes:
            blocks.append(replace(whole, line=line, offset=start, length=size, bytes=size))
            start, line, size = piece.offset, piece.line, 0
        size += len(piece.data)
    blocks.append(replace(whole, line=line, offset=start, length=size, bytes=size))
    return blocks


def piece_bytes(block_bytes: int, columns: int = 0) -> int:
    """Bytes of a block that are in memory at a time: a quarter, at most `PIECE_BYTES`, or more for many columns."""
    return max(min(PIECE_BYTES, math.ceil(block_bytes / 4)), _COLUMN_BYTES * columns)


def read_pieces(block: Block, delimiter: str, piece_bytes: int = PIECE_BYTES) -> Iterator[Piece]:
    """The records of a block, about `piece_bytes` at a time.

    Raises:
        DataError: a damaged packed file, an unclosed quote, a record longer than `RECORD_BYTES`.
    """
    separator = delimiter.encode()
    line, offset, kept = block.line, block.offset, b""
    left = block.length
    with TextFile(block.path, block.source) as file:
        file.seek(block.offset)
        while True:
            wanted = max(piece_bytes, len(kept))
            fresh = file.read(wanted if left is None else min(wanted, left))
            left = None if left is None else left - len(fresh)
            ended = not fresh or left == 0
            data = kept + fresh if kept else fresh
            try:
                # A line end is put behind a last record that has none; it is a boundary unless a quote is open.
                end = last_record_end(data if not ended or data.endswith(b"\n") else data + b"\n", separator)
            except UnclosedQuoteError as error:
                raise _unclosed(block.path, line, data, error.position) from error
            end = min(end, len(data))
            if end:
                yield Piece(block.path, block.names, line, offset, data[:end])
                line += data.count(b"\n", 0, end)
                offset += end
            kept = data[end:]
            if ended:
                if kept:
                    raise _unclosed(block.path, line, kept, open_quote(kept, separator))
                return
            if len(kept) > RECORD_BYTES:
                raise _unclosed(block.path, line, kept, open_quote(kept, separator))


def _unclosed(path: str, line: int, data: bytes, position: int) -> DataError:
    if position < 0:
        return DataError(
            f"A line is longer than {RECORD_BYTES >> 20} MiB.",
            where=f"{path}, line {line}",
            received=data[:80].decode("utf-8", "replace"),
            fix="Check that the file is CSV with one row a line.",
        )
    at = line + data.count(b"\n", 0, position)
    start = data.rfind(b"\n", 0, position) + 1
    shown = data[start : start + 80].split(b"\n")[0].removeprefix(BOM).decode("utf-8", "replace")
    return DataError(
        "A quote opens a field and is never closed.",
        where=f"{path}, line {at}",
        received=shown,
        fix='Close the quote on this line, or double it ("") where it is part of the text.',
    )
