"""Blocks that share a shard: small files would make many small shards, and each costs every later node an opening."""

from __future__ import annotations

import os
from collections.abc import Iterable

from components.example_gen.csv_blocks import Block
from components.example_gen.record_blocks import RecordBlock
from components.example_gen.table_blocks import TableBlock

AnyBlock = Block | RecordBlock | TableBlock
_UNPACKED = 8  # bytes of text that a byte of a packed file holds, about


def group_blocks(blocks: Iterable[AnyBlock], block_bytes: int) -> list[tuple[AnyBlock, ...]]:
    """The blocks in their order, as many in a group as have no more bytes than one block may have.

    Args:
        blocks: of any number of files.
        block_bytes: what `split_blocks` was given.
    """
    groups: list[tuple[AnyBlock, ...]] = []
    room = 0
    for block in blocks:
        size = _bytes(block, block_bytes)
        if groups and size <= room:
            groups[-1] += (block,)
            room -= size
        else:
            groups.append((block,))
            room = block_bytes - size
    return groups


def _bytes(block: AnyBlock, block_bytes: int) -> int:
    """Bytes of a block; one of several of a file fills a shard."""
    if isinstance(block, TableBlock):
        return block.bytes
    if isinstance(block, Block) and block.length is not None:
        return block.length
    if isinstance(block, RecordBlock) and block.first > 1:
        return block_bytes
    return os.path.getsize(block.path) * (_UNPACKED if block.packed else 1)
