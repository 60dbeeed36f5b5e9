"""MovieLens's small data set (https://grouplens.org/datasets/movielens): who rated which film, and when."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from components.public_data.interactions import write_interactions
from components.public_data.source_text import source_text
from schemas.errors import DataError

COLUMNS = {"ratings.csv": ("userId", "movieId", "rating", "timestamp"), "movies.csv": ("movieId", "title", "genres")}
_NUMBERS = ("userId", "movieId", "timestamp")


def prepare(source: Path, target: Path) -> None:
    """It is the folder of MovieLens's ml-latest-small with ratings.csv and movies.csv, plain or gzipped.

    Writes interactions.csv, see `components.public_data.interactions`: that someone rated a film at all is the
    interaction; a film's attributes are its genres.

    Args:
        source: the folder with the two files.
        target: an empty folder.

    Raises:
        DataError: a file is missing or damaged, or a line is not what it should be.
    """
    rated: dict[str, list[tuple[int, str]]] = {}
    for user, film, _, moment in _rows(source, "ratings.csv"):
        rated.setdefault(user, []).append((int(moment), film))
    genres = {film: genre.replace("|", " ") for film, _, genre in _rows(source, "movies.csv")}
    # Equal moments stay in the order of the file.
    sequences = {user: [film for _, film in sorted(films, key=lambda one: one[0])] for user, films in rated.items()}
    write_interactions(target, sequences, genres)


def _rows(source: Path, name: str) -> Iterator[list[str]]:
    rows = csv.reader(source_text(source, name).splitlines())
    columns = COLUMNS[name]
    if tuple(next(rows, ())) != columns:
        raise _refused(name, 1, "the first line")
    for row in rows:
        numbers = [text for key, text in zip(columns, row, strict=False) if key in _NUMBERS]
        if len(row) != len(columns) or not all(text.isdecimal() for text in numbers):
            raise _refused(name, rows.line_num, ",".join(row)[:200])
        yield row


def _refused(name: str, line: int, received: str) -> DataError:
    return DataError(
        f"The file does not hold MovieLens's {name.partition('.')[0]}.",
        where=f"{name}, line {line}",
        received=received,
        fix=f"It should be {','.join(COLUMNS[name])}, ids and moments as whole numbers; fetch it anew.",
    )
