from __future__ import annotations

import csv
from pathlib import Path

import pytest

from components.public_data.movielens import prepare
from schemas.errors import DataError

RATINGS = "userId,movieId,rating,timestamp\n1,31,2.5,200\n1,5,3.0,100\n2,31,4.0,50\n"
MOVIES = 'movieId,title,genres\n5,"Toys, again",Comedy|Drama\n31,Heat,(no genres listed)\n'


def _prepared(folder: Path, ratings: str = RATINGS, movies: str = MOVIES) -> list[dict[str, str]]:
    (folder / "source").mkdir()
    (folder / "source/ratings.csv").write_text(ratings)
    (folder / "source/movies.csv").write_text(movies)
    (folder / "target").mkdir()
    prepare(folder / "source", folder / "target")
    with (folder / "target/interactions.csv").open(encoding="utf-8", newline="") as file:
        return [row for row in csv.DictReader(file) if row["interaction"] == "1"]


def test_films_in_the_order_of_time_with_their_genres(tmp_path: Path) -> None:
    rows = _prepared(tmp_path)
    assert [(row["user"], row["recent_items"], row["item"], row["item_attributes"], row["split"]) for row in rows] == [
        ("1", "", "5", "Comedy Drama", "train"),
        ("1", "5", "31", "(no genres listed)", "eval"),
        ("2", "", "31", "(no genres listed)", "train"),
    ]


@pytest.mark.parametrize(
    ("ratings", "movies", "place"),
    [
        ("a,b\n", MOVIES, "ratings.csv, line 1"),
        ("", MOVIES, "ratings.csv, line 1"),
        (RATINGS + "1,2\n", MOVIES, r"ratings.csv, line 5.*Received: 1,2"),
        (RATINGS + "x,2,3,4\n", MOVIES, "ratings.csv, line 5"),
        (RATINGS, MOVIES + "x,Up,Comedy\n", "movies.csv, line 4"),
    ],
)
def test_other_files_are_refused(tmp_path: Path, ratings: str, movies: str, place: str) -> None:
    with pytest.raises(DataError, match=f"(?s)does not hold MovieLens's.*{place}"):
        _prepared(tmp_path, ratings, movies)


@pytest.mark.slow
def test_the_data_set(stf_data: Path, tmp_path: Path) -> None:
    prepare(stf_data / "movielens_latest_small", tmp_path)
    with (tmp_path / "interactions.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["interaction"] == "1"]
    assert (len(rows), sum(row["split"] == "eval" for row in rows)) == (100_004, 671)
