"""Rows of files."""

from __future__ import annotations

from pathlib import Path

import pytest

from schemas.errors import DataError
from serving.client.rows_file import read_rows

ROWS = [{"Trip Miles": 1.5, "company": "Blue, Co"}, {"Trip Miles": None, "company": ""}]


def test_csv(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text('\ufeffTrip Miles,company\n1.5,"Blue, Co"\n,\n', encoding="utf-8")
    assert read_rows(path) == [{"Trip Miles": "1.5", "company": "Blue, Co"}, {"Trip Miles": "", "company": ""}]


@pytest.mark.parametrize(
    "text",
    [
        '[{"Trip Miles": 1.5, "company": "Blue, Co"}, {"Trip Miles": null, "company": ""}]',
        '{"instances": [{"Trip Miles": 1.5, "company": "Blue, Co"}, {"Trip Miles": null, "company": ""}]}',
        '{"Trip Miles": 1.5, "company": "Blue, Co"}\n\n{"Trip Miles": null, "company": ""}\n',
    ],
)
def test_json(tmp_path: Path, text: str) -> None:
    path = tmp_path / "rows.json"
    path.write_text(text)
    assert read_rows(path) == ROWS


def test_texts_for_missing_values_are_none(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("x,y\nNA,NAN\n-,\n")
    assert read_rows(tmp_path / "rows.csv", ("NA", "-")) == [{"x": None, "y": "NAN"}, {"x": None, "y": ""}]
    (tmp_path / "rows.json").write_text('[{"x": "NA", "y": [1]}]')
    assert read_rows(tmp_path / "rows.json", ("NA",)) == [{"x": None, "y": [1]}]


def test_a_single_object_is_a_row(tmp_path: Path) -> None:
    path = tmp_path / "row.json"
    path.write_text('{"fare": 1}')
    assert read_rows(path) == [{"fare": 1}]


@pytest.mark.parametrize(
    ("name", "text", "where"),
    [
        ("a.csv", "x,y\n1,2\n1\n", "row 3"),
        ("a.csv", "x\n1,2\n", "row 2"),
        ("a.jsonl", '{"x": 1}\n{x}\n', "line 2"),
        ("a.json", "[1, 2]", "a.json"),
    ],
)
def test_files_that_hold_something_else(tmp_path: Path, name: str, text: str, where: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(DataError) as caught:
        read_rows(tmp_path / name)
    assert where in caught.value.where


def test_a_file_that_there_is_not(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        read_rows(tmp_path / "none.csv")
