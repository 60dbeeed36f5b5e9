from __future__ import annotations

from models.file_shards import file_shards


def test_the_next_largest_goes_to_who_has_fewest() -> None:
    assert file_shards([100, 200, 100, 200], 2) == [[0, 1], [2, 3]]


def test_too_few_files() -> None:
    assert file_shards([100], 2) is None


def test_files_that_do_not_share_out_evenly() -> None:
    assert file_shards([100, 102], 2) is None
    assert file_shards([100, 101], 2) == [[1], [0]]


def test_empty_files() -> None:
    assert file_shards([0, 0], 2) is None
