"""Blocks that share a shard: small files would make many small shards, and each costs every later node an opening."""

from __future__ import annotations

from collections.abc import Iterable

from components.example_gen.csv_blocks import Block
from components.example_gen.record_blocks import RecordBlock
from components.example_gen.table_blocks import TableBlock

AnyBlock = Block | RecordBlock | TableBlock


def group_blocks(blocks: Iterable[AnyBlock], block_bytes: int) -> list[tuple[AnyBlock, ...]]:
    """The blocks in their order, as many in a group as have no more bytes than one block may have.

    Args:
        blocks: of any number of files.
        block_bytes: what `split_blocks` was given.
    """
    groups: list[tuple[AnyBlock, ...]] = []
    room = 0
    for block in blocks:
        if groups and block.bytes <= room:
            groups[-1] += (block,)
        else:
            groups.append((block,))
            room = block_bytes
        room -= block.bytes
    return groups
