"""The penguins as palmerpenguins publishes them."""

from __future__ import annotations

from pathlib import Path

import pytest

from components.public_data.penguins import prepare
from schemas.errors import DataError

HEADER = "species,island,bill_length_mm,bill_depth_mm,flipper_length_mm,body_mass_g,sex,year\n"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    (tmp_path / "penguins").mkdir()
    (tmp_path / "target").mkdir()
    (tmp_path / "penguins/penguins_raw.csv").write_text("studyName\nPAL0708\n")
    return tmp_path / "penguins"


def test_na_is_an_empty_field(source: Path, tmp_path: Path) -> None:
    rows = "Adelie,Torgersen,39.1,18.7,181,3750,male,2007\nAdelie,Torgersen,NA,NA,NA,NA,NA,2007\n"
    (source / "penguins.csv").write_text(HEADER + rows)
    prepare(source, tmp_path / "target")
    assert (tmp_path / "target/penguins.csv").read_text() == HEADER + rows.replace("NA", "")


@pytest.mark.parametrize("text", ["", "species,island\n"])
def test_other_columns(source: Path, tmp_path: Path, text: str) -> None:
    (source / "penguins.csv").write_text(text)
    with pytest.raises(DataError, match=r"(?s)does not name the columns of the penguins.*It should be species,island"):
        prepare(source, tmp_path / "target")
