"""Rows by split: too few of them, and a column that names the split."""

from __future__ import annotations

from pathlib import Path

import apache_beam as beam
import pytest

from components.example_gen.ingest import Ingested, Ingestion, ingest
from runners.inline import InlineRunner
from schemas.errors import DataError
from schemas.raw_columns import RawColumns
from tests.unit.components.example_gen.csv_ingestion import csv_text, examples, refuses, table_of


def test_too_few_rows_for_a_split(tmp_path: Path) -> None:
    refuses(tmp_path, "Split '(train|eval)' is empty.*2 rows for splits", csv_text("1,0,3", "1,1,4"))


FOLDS = ["1,1,eval", "2,0,train", "3,1,train", "4,0,eval", "5,0,train"]


def _ingest_folds(folder: Path, rows: list[str]) -> Ingested:
    (folder / "a.csv").write_text(csv_text(*rows, header="fare,tips,fold"))
    ingestion = Ingestion(RawColumns.of(table_of(), "fold"), {"train": 1, "eval": 1})
    return ingest([str(folder / "a.csv")], str(folder / "out"), ingestion, lambda: beam.Pipeline(runner=InlineRunner()))


def test_a_column_names_the_splits_and_is_not_kept(tmp_path: Path) -> None:
    assert _ingest_folds(tmp_path, FOLDS).rows == {"train": 3, "eval": 2}
    assert [row["fare"][1] for row in examples(tmp_path)] == [1.0, 4.0, 2.0, 3.0, 5.0]
    assert {tuple(sorted(row)) for row in examples(tmp_path)} == {("fare", "tips")}


@pytest.mark.parametrize(("row", "received"), [("6,1,tset", "line 7: tset"), ("6,1,", "line 7: ")])
def test_a_split_that_is_not_there_is_refused(tmp_path: Path, row: str, received: str) -> None:
    message = f"(?s)'fold' must name one of the splits train, eval; 1 row has none of them.*Received: {received}"
    with pytest.raises(DataError, match=message):
        _ingest_folds(tmp_path, [*FOLDS, row])
    assert not list(tmp_path.glob("out/*"))


def test_the_column_of_the_splits_must_be_there(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(csv_text("1,1,1"))
    ingestion = Ingestion(RawColumns.of(table_of(), "fold"), {"train": 1, "eval": 1})
    with pytest.raises(DataError, match=r"(?s)'fold' is missing; it is read by data\.split_column"):
        ingest(
            [str(tmp_path / "a.csv")], str(tmp_path / "out"), ingestion, lambda: beam.Pipeline(runner=InlineRunner())
        )
