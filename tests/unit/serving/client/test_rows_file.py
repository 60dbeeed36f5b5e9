"""Rows of files."""

from __future__ import annotations

import re
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
        ("a.csv", "x,y\n1,2\n1\n", "row 2"),
        ("a.csv", "x\n1,2\n", "row 1"),
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


@pytest.mark.parametrize(
    ("name", "content", "text"),
    [
        ("a.csv", b"x,y,x\n1,2,3\n", "The header names a column twice.*Received: 'x'"),
        ("a.csv", b"x;y\n1;2\n", "not separated by commas.*Received: x;y: it looks like ';'"),
        ("a.csv", b'x\n"1\n', "This is no CSV.*line 2.*Fix: Close each quoted value"),
        ("a.csv", b"x\n\xff\n", "The rows are no text.*Fix: .*UTF-8"),
        ("a.tsv", b"x,y\n1,2\n", "This is no JSON.*If it is CSV: name the file .csv"),
        pytest.param("a.json", b"[" * 100_000, "nested too deep.*a.json", id="deep"),
        pytest.param("a.jsonl", b'{"x": 1}\n' + b"[" * 100_000, "nested too deep.*line 2", id="deep line"),
    ],
)
def test_what_is_wrong_with_a_file_is_told_with_what_to_do(
    tmp_path: Path, name: str, content: bytes, text: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError) as caught:
        read_rows(tmp_path / name)
    assert re.search(text, str(caught.value), re.DOTALL)


def test_a_csv_of_one_column_may_hold_what_separates_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("x\na;b\n")
    assert read_rows(tmp_path / "rows.csv") == [{"x": "a;b"}]
