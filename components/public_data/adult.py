"""The census income data of UCI (https://archive.ics.uci.edu/dataset/2/adult): who earns more than 50,000 dollars?

Two files without a header, fields parted by a comma and a space, `?` for a missing value. In adult.test the labels end
in a dot, and the first line is a comment.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from components.public_data.source_text import source_text
from schemas.errors import DataError

COLUMNS = (
    *("age", "workclass", "fnlwgt", "education", "education_num", "marital_status", "occupation", "relationship"),
    *("race", "sex", "capital_gain", "capital_loss", "hours_per_week", "native_country", "income"),
)
FILES = ("adult.data", "adult.test")
_MISSING = "?"
_COMMENT = "|"
_LABELS = ("<=50K", ">50K")


def prepare(source: Path, target: Path) -> None:
    """It is the folder adult_census with UCI's adult.data and adult.test, plain or gzipped.

    Writes adult.csv: the rows of both files, in their order, under `COLUMNS`; a missing value is an empty field.

    Args:
        source: the folder with the two files.
        target: an empty folder.

    Raises:
        DataError: a file is missing or damaged, or a line is not what it should be.
    """
    rows = [row for name in FILES for row in _rows(name, source_text(source, name))]
    with (target / "adult.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(rows)


def _rows(name: str, text: str) -> Iterator[list[str]]:
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith(_COMMENT):
            continue
        fields = ["" if field.strip() == _MISSING else field.strip() for field in line.split(",")]
        fields[-1] = fields[-1].removesuffix(".")
        if len(fields) != len(COLUMNS) or fields[-1] not in _LABELS:
            raise DataError(
                f"A line is not one of the census income data: {len(COLUMNS)} fields, the last of them "
                f"{' or '.join(_LABELS)}.",
                where=f"{name}, line {number}",
                received=line[:200],
                fix="Fetch the file anew.",
            )
        yield fields
