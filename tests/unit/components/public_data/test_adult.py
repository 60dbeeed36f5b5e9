"""The census income data as UCI publishes it."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from components.public_data.adult import COLUMNS, prepare
from schemas.errors import DataError

DATA = (
    "39, State-gov, 77516, Bachelors, 13, Never-married, Adm-clerical, Not-in-family, White, Male, 2174, 0, 40, "
    "United-States, <=50K\n\n"
)
TEST = (
    "|1x3 Cross validator\n"
    "18, ?, 103497, Some-college, 10, Never-married, ?, Own-child, White, Female, 0, 0, 30, United-States, >50K."
)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    (tmp_path / "adult_census").mkdir()
    (tmp_path / "adult_census" / "adult.data").write_text(DATA)
    (tmp_path / "adult_census" / "adult.test.gz").write_bytes(gzip.compress(TEST.encode()))
    (tmp_path / "target").mkdir()
    return tmp_path / "adult_census"


def test_both_files_with_a_header(source: Path, tmp_path: Path) -> None:
    prepare(source, tmp_path / "target")
    assert (tmp_path / "target/adult.csv").read_text().splitlines() == [
        ",".join(COLUMNS),
        "39,State-gov,77516,Bachelors,13,Never-married,Adm-clerical,Not-in-family,White,Male,2174,0,40,United-States,<=50K",
        "18,,103497,Some-college,10,Never-married,,Own-child,White,Female,0,0,30,United-States,>50K",
    ]


def test_a_missing_file(source: Path, tmp_path: Path) -> None:
    (source / "adult.test.gz").unlink()
    with pytest.raises(DataError, match=r"(?s)file of the data set is missing.*without adult.test.*holds adult.data"):
        prepare(source, tmp_path / "target")


def test_a_damaged_file(source: Path, tmp_path: Path) -> None:
    (source / "adult.test.gz").write_bytes(gzip.compress(TEST.encode())[:-9])
    with pytest.raises(DataError, match=r"(?s)damaged.*adult.test.gz"):
        prepare(source, tmp_path / "target")


@pytest.mark.parametrize("line", ["39, State-gov", DATA.strip().replace("<=50K", "50K")])
def test_a_line_of_something_else(source: Path, tmp_path: Path, line: str) -> None:
    (source / "adult.data").write_text(DATA + line)
    with pytest.raises(DataError, match=r"(?s)15 fields, the last of them <=50K or >50K.*adult.data, line 3"):
        prepare(source, tmp_path / "target")
