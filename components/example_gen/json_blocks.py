"""The blocks of files of JSON lines, and the pieces in which one is read; as `csv_blocks` for CSV."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from components.example_gen.csv_blocks import BLOCK_BYTES, PIECE_BYTES, RECORD_BYTES, Block, Piece, part_blocks
from components.example_gen.text_file import BOM, TextFile, TextSource
from schemas.errors import DataError


@dataclass(frozen=True)
class JsonBlock(Block):
    """A run of whole lines of one file; `names` are empty, as each line has its own."""

    source: ClassVar[TextSource] = "jsonl"


@dataclass(frozen=True)
class JsonPiece(Piece):
    """A run of whole lines in memory."""

    @property
    def lines(self) -> list[tuple[int, bytes]]:
        """The lines that are not blank, with their numbers in the file: the rows."""
        return [(line, text) for line, text in enumerate(self.data.split(b"\n"), self.line) if text.strip()]


def split_json_blocks(path: str, block_bytes: int = BLOCK_BYTES) -> list[Block]:
    """The blocks of one file, in order, about equally large; none of an empty file.

    Raises:
        DataError: the file cannot be read, or holds one JSON array.
    """
    with TextFile(path, JsonBlock.source) as file:
        start = file.read(1 << 10)
    offset = len(BOM) if start.startswith(BOM) else 0
    text = start[offset:].lstrip()
    if text.startswith(b"["):
        raise DataError(
            "The data file is a JSON array, not JSON lines.",
            where=path,
            received=f"it starts with {text[:40].decode('utf-8', 'replace')!r}",
            fix="Write one object a line: jq -c '.[]' FILE > NEW.",
        )
    return part_blocks(JsonBlock(path, (), 1, offset), read_json_pieces, block_bytes)


def read_json_pieces(block: Block, piece_bytes: int = PIECE_BYTES) -> Iterator[JsonPiece]:
    """The lines of a block, about `piece_bytes` at a time.

    Raises:
        DataError: a damaged packed file, or a line longer than `RECORD_BYTES`.
    """
    line, offset, kept, left = block.line, block.offset, b"", block.length
    with TextFile(block.path, block.source) as file:
        file.seek(offset)
        while True:
            wanted = max(piece_bytes, len(kept))
            fresh = file.read(wanted if left is None else min(wanted, left))
            left = None if left is None else left - len(fresh)
            data = kept + fresh if kept else fresh
            end = len(data) if not fresh or left == 0 else data.rfind(b"\n") + 1
            if end:
                yield JsonPiece(block.path, (), line, offset, data[:end])
                line += data.count(b"\n", 0, end)
                offset += end
            if not fresh or left == 0:
                return
            kept = data[end:]
            if len(kept) > RECORD_BYTES:
                raise DataError(
                    f"A line is longer than {RECORD_BYTES >> 20} MiB.",
                    where=f"{block.path}, line {line}",
                    received=kept[:80].decode("utf-8", "replace"),
                    fix="Check that the file holds one JSON object a line.",
                )
