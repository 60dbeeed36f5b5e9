from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from components.example_gen.block_groups import group_blocks
from components.example_gen.csv_blocks import Block
from components.example_gen.record_blocks import RecordBlock


def block(path: Path, size: int | None, offset: int = 0) -> Block:
    return Block(str(path), ("a",), 1, offset, size)


def test_small_files_share_a_group(tmp_path: Path) -> None:
    sizes = [4, 5, 2, 9, 1]
    blocks = []
    for number, size in enumerate(sizes):
        (tmp_path / f"{number}.csv").write_bytes(b"x" * size)
        blocks.append(block(tmp_path / f"{number}.csv", None))
    assert group_blocks(blocks, 10) == [(blocks[0], blocks[1]), (blocks[2],), (blocks[3], blocks[4])]


def test_packed_files_count_for_more(tmp_path: Path) -> None:
    blocks = []
    for number in range(3):
        (tmp_path / f"{number}.csv.gz").write_bytes(b"x" * 2)
        blocks.append(replace(block(tmp_path / f"{number}.csv.gz", None), packed=True))
    assert group_blocks(blocks, 40) == [(blocks[0], blocks[1]), (blocks[2],)]


def test_parts_of_a_record_file_stay_alone(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x" * 25)
    (tmp_path / "b").write_bytes(b"x" * 3)
    parts = [RecordBlock(str(tmp_path / "a"), 1, 0, 5), RecordBlock(str(tmp_path / "a"), 6, 12, 5)]
    small = [RecordBlock(str(tmp_path / "b"), 1, 0, 1)] * 2
    assert group_blocks([*parts, *small], 12) == [(parts[0],), (parts[1],), tuple(small)]


@given(sizes=st.lists(st.integers(1, 30), max_size=20), most=st.integers(1, 20))
def test_every_block_comes_once_in_its_order(sizes: list[int], most: int) -> None:
    blocks = [block(Path("a"), size, offset) for offset, size in enumerate(sizes)]
    groups = group_blocks(blocks, most)
    assert [one for group in groups for one in group] == blocks
    assert all(sum(one.length or 0 for one in group) <= most for group in groups if len(group) > 1)
