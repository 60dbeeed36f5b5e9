from __future__ import annotations

from pathlib import Path

import pytest

from serving.server.version_policy import VersionPolicy, version_directories


@pytest.mark.parametrize(
    ("policy", "candidates", "count"),
    [
        # Of the newest all are candidates: an older one stands in for one that cannot be loaded.
        (VersionPolicy(), [30, 4, 1], 1),
        (VersionPolicy(latest=2), [30, 4, 1], 2),
        (VersionPolicy(latest=9), [30, 4, 1], 3),
        (VersionPolicy("all"), [30, 4, 1], 3),
        (VersionPolicy("specific", specific=(1, 30, 7)), [30, 1], 2),
        (VersionPolicy("specific", specific=(7,)), [], 0),
    ],
)
def test_candidates_are_tried_from_the_newest(policy: VersionPolicy, candidates: list[int], count: int) -> None:
    there = [4, 30, 1]
    assert policy.candidates(there) == candidates
    assert policy.count(there) == count


def test_versions_are_directories_with_64_bit_numbers_as_names(tmp_path: Path) -> None:
    names = [
        "1",
        "007",
        "7",
        "0012",
        str(2**63 - 1),
        str(2**63),
        "-3",
        "1.0",
        "1e2",
        "v2",
        ".3",
        ".staging-4",
        "٣",
        "+5",
    ]
    for name in names:
        (tmp_path / name).mkdir()
    (tmp_path / "9").write_text("a file")
    assert {number: path.name for number, path in version_directories(tmp_path).items()} == {
        1: "1",
        7: "7",
        12: "0012",
        2**63 - 1: str(2**63 - 1),
    }


def test_a_folder_that_is_not_there_is_an_error_and_not_an_empty_one(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        version_directories(tmp_path / "missing")
