"""Stanford's Large Movie Review Dataset (https://ai.stanford.edu/~amaas/data/sentiment): does a review praise the film?

25,000 reviews of the training part, gathered in one table: where the review was, its text, 1 for praise, and the
stars that its author gave.
"""

from __future__ import annotations

import csv
import io
from pathlib import Path

from components.public_data.source_text import source_text
from schemas.errors import DataError

FILE = "imdb_train.csv"
COLUMNS = ("id", "review", "label", "rating")
SENTIMENTS = {"0": "negative", "1": "positive"}
_LINE_BREAK = "<br />"


def prepare(source: Path, target: Path) -> None:
    """It is the folder imdb with imdb_train.csv, plain or gzipped, of the columns id, review, label and rating.

    Writes reviews.csv with the columns review and sentiment. The place and the stars tell the answer and are left out,
    so that equal reviews are equal rows, which one split takes together; HTML's line breaks become spaces.

    Args:
        source: the folder with the file.
        target: an empty folder.

    Raises:
        DataError: the file is missing or damaged, or a row is not what it should be.
    """
    rows = csv.reader(io.StringIO(source_text(source, FILE), newline=""))
    if tuple(next(rows, ())) != COLUMNS:
        raise _refused(1, "the first line", f"It should be {','.join(COLUMNS)}.")
    with (target / "reviews.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("review", "sentiment"))
        for row in rows:
            if len(row) != len(COLUMNS) or row[2] not in SENTIMENTS:
                raise _refused(rows.line_num, ",".join(row)[:200], "Fetch the file anew.")
            writer.writerow((row[1].replace(_LINE_BREAK, " "), SENTIMENTS[row[2]]))


def _refused(line: int, received: str, fix: str) -> DataError:
    return DataError(
        "The file does not hold the movie reviews.", where=f"{FILE}, line {line}", received=received, fix=fix
    )
