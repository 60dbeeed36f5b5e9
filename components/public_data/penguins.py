"""Three species of penguins near Palmer Station, Antarctica (https://allisonhorst.github.io/palmerpenguins, CC0)."""

from __future__ import annotations

import csv
from pathlib import Path

from components.public_data.source_text import source_text
from schemas.errors import DataError

FILE = "penguins.csv"
COLUMNS = ("species", "island", "bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g", "sex", "year")
_MISSING = "NA"


def prepare(source: Path, target: Path) -> None:
    """It is the folder penguins with penguins.csv, plain or gzipped, as palmerpenguins publishes it.

    Writes penguins.csv with an empty field where R wrote NA. What else is in the folder, such as penguins_raw.csv, is
    left alone.

    Args:
        source: the folder with the file.
        target: an empty folder.

    Raises:
        DataError: the file is missing or damaged, or has other columns.
    """
    lines = list(csv.reader(source_text(source, FILE).splitlines()))
    if not lines or tuple(lines[0]) != COLUMNS:
        raise DataError(
            "The first line does not name the columns of the penguins.",
            where=f"{FILE}, line 1",
            received=",".join(lines[0]) if lines else "an empty file",
            fix=f"It should be {','.join(COLUMNS)}.",
        )
    with (target / FILE).open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(
            ["" if field == _MISSING else field for field in line] for line in lines
        )
