from __future__ import annotations

import csv
from pathlib import Path

from components.public_data.interactions import write_interactions


def _written(folder: Path, sequences: dict[str, list[str]], attributes: dict[str, str]) -> list[list[str]]:
    folder.mkdir(exist_ok=True)
    write_interactions(folder, sequences, attributes)
    with (folder / "interactions.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def test_two_users_of_three_items(tmp_path: Path) -> None:
    # Each user leaves one item out, so that the drawn items are known.
    assert _written(tmp_path, {"7": ["a", "b"], "8": ["c", "b"]}, {"a": "red round", "c": "blue"}) == [
        ["user", "recent_items", "item", "item_attributes", "interaction", "split"],
        ["7", "", "a", "red round", "1", "train"],
        ["7", "", "c", "blue", "0", "train"],
        ["7", "a", "b", "", "1", "eval"],
        ["7", "a", "c", "blue", "0", "eval"],
        ["8", "", "c", "blue", "1", "train"],
        ["8", "", "a", "red round", "0", "train"],
        ["8", "c", "b", "", "1", "eval"],
        ["8", "c", "a", "red round", "0", "eval"],
    ]


def test_the_ten_newest_items_come_first(tmp_path: Path) -> None:
    taken = [str(number) for number in range(13)]
    last = _written(tmp_path, {"7": taken, "8": ["x"]}, {})[-4]
    assert last == ["7", "11 10 9 8 7 6 5 4 3 2", "12", "", "1", "eval"]


def test_a_user_of_one_item_is_trained_on(tmp_path: Path) -> None:
    rows = _written(tmp_path, {"7": ["a"], "8": ["b"]}, {})
    assert [row[-1] for row in rows[1:]] == ["train"] * 4


def test_a_user_who_took_everything(tmp_path: Path) -> None:
    assert [row[4] for row in _written(tmp_path, {"7": ["a", "b"]}, {})[1:]] == ["1", "1"]


def test_the_same_rows_at_each_call(tmp_path: Path) -> None:
    sequences = {str(user): [str(user + step) for step in range(5)] for user in range(50)}
    assert _written(tmp_path / "one", sequences, {}) == _written(tmp_path / "other", sequences, {})
