from __future__ import annotations

import gzip
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from components.example_gen.block_groups import group_blocks
from components.example_gen.csv_blocks import Block, split_blocks
from components.example_gen.csv_header import read_header
from components.example_gen.record_blocks import RecordBlock


def block(size: int, offset: int = 0) -> Block:
    return Block("a", ("a",), 1, offset, size, size)


def test_blocks_share_a_group_as_long_as_there_is_room() -> None:
    blocks = [block(4), block(5), block(2), block(9), block(1)]
    assert group_blocks(blocks, 10) == [(blocks[0], blocks[1]), (blocks[2],), (blocks[3], blocks[4])]


def test_any_kinds_of_blocks() -> None:
    records = RecordBlock("b", bytes=3)
    assert group_blocks([records, block(3), records], 6) == [(records, block(3)), (records,)]


def test_packed_files_count_for_more(tmp_path: Path) -> None:
    sizes = []
    for name, pack in (("plain", bytes), ("packed", gzip.compress)):
        (tmp_path / name).write_bytes(pack(b"a\n1\n2\n"))
        (found,) = split_blocks(read_header(str(tmp_path / name), ","), ",")
        sizes.append(found.bytes)
    assert sizes == [len(b"1\n2\n"), 8 * (tmp_path / "packed").stat().st_size]


@given(sizes=st.lists(st.integers(1, 30), max_size=20), most=st.integers(1, 20))
def test_every_block_comes_once_in_its_order(sizes: list[int], most: int) -> None:
    blocks = [block(size, offset) for offset, size in enumerate(sizes)]
    groups = group_blocks(blocks, most)
    assert [one for group in groups for one in group] == blocks
    assert all(sum(one.bytes for one in group) <= most for group in groups if len(group) > 1)
