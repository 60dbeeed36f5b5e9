"""Small files, which are read together."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from schemas.errors import DataError
from tests.unit.components.example_gen.csv_ingestion import ROWS, csv_text, examples, ingest_files


def test_small_files_are_read_together_and_faults_are_told_apart(tmp_path: Path) -> None:
    wrong = csv_text("1,2,3,4", "1,2,3")
    with pytest.raises(DataError) as caught:
        ingest_files(tmp_path, csv_text(*ROWS), csv_text(*ROWS).rstrip("\n"), wrong)
    assert "2.csv, line 2" in str(caught.value)
    assert not list(tmp_path.glob("out/Split-*"))


@pytest.mark.slow
def test_small_files_give_what_they_give_alone(tmp_path: Path) -> None:
    files = [
        csv_text(*ROWS[:5]),
        csv_text(*ROWS[5:9]).replace("\n", "\r\n"),
        csv_text(*ROWS[9:12]).rstrip("\n"),
        gzip.compress(csv_text(*ROWS[12:20]).encode()),
        csv_text("", '1,2,"7"', ""),
        csv_text(*(",".join(reversed(row.split(","))) for row in ROWS[20:30]), header="n,tips,fare"),
        csv_text(*ROWS[30:]),
    ]
    (tmp_path / "together").mkdir()
    (tmp_path / "alone").mkdir()
    together = ingest_files(tmp_path / "together", *files)
    alone = ingest_files(tmp_path / "alone", *files, block_bytes=1)
    assert together == alone
    assert len(list((tmp_path / "together").glob("out/Split-train/*"))) == 1
    assert len(list((tmp_path / "alone").glob("out/Split-train/*"))) > len(files)
    assert examples(tmp_path / "together") == examples(tmp_path / "alone")


def test_faults_of_small_files_are_counted_once(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        ingest_files(tmp_path, csv_text(*ROWS), csv_text("1,,3", *ROWS, "1,x,3"))
    assert "1.csv, line 43" in str(caught.value)
    assert "0.csv" not in str(caught.value)
