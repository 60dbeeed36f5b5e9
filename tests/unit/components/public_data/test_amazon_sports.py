from __future__ import annotations

import csv
import gzip
from pathlib import Path

import pytest

from components.public_data.amazon_sports import ATTRIBUTES, SEQUENCES, prepare
from schemas.errors import DataError


def _prepared(folder: Path, sequences: str, attributes: str = "{}") -> list[dict[str, str]]:
    (folder / "source").mkdir()
    (folder / f"source/{SEQUENCES}.gz").write_bytes(gzip.compress(sequences.encode()))
    (folder / f"source/{ATTRIBUTES}").write_text(attributes)
    (folder / "target").mkdir()
    prepare(folder / "source", folder / "target")
    with (folder / "target/interactions.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_sequences_and_attributes(tmp_path: Path) -> None:
    rows = _prepared(tmp_path, "1 10 11\n2 12\n", '{"11": [3, 4]}')
    assert [row["item"] for row in rows if row["interaction"] == "1"] == ["10", "11", "12"]
    assert rows[2] == {
        "user": "1",
        "recent_items": "10",
        "item": "11",
        "item_attributes": "3 4",
        "interaction": "1",
        "split": "eval",
    }


@pytest.mark.parametrize("line", ["", "2", "2 x", "1 12", "2,12"])
def test_another_line_is_refused(tmp_path: Path, line: str) -> None:
    with pytest.raises(DataError, match=f"(?s)not a user and the items.*{SEQUENCES}, line 2.*Received: {line}"):
        _prepared(tmp_path, f"1 10 11\n{line}\n")


@pytest.mark.parametrize("text", ["{", "[1]", '{"1": 2}', '{"1": ["x"]}'])
def test_other_attributes_are_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(DataError, match=f"(?s)attributes of the items are not JSON.*{ATTRIBUTES}"):
        _prepared(tmp_path, "1 10 11\n", text)


@pytest.mark.slow
def test_the_data_set(stf_data: Path, tmp_path: Path) -> None:
    prepare(stf_data / "recsys_sequences", tmp_path)
    with (tmp_path / "interactions.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    positives = [row for row in rows if row["interaction"] == "1"]
    assert (len(rows), len(positives)) == (2 * 296_337, 296_337)
    assert sum(row["split"] == "eval" for row in positives) == 35_598
    assert len({row["item"] for row in positives}) == 18_357
