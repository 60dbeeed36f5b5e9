from __future__ import annotations

import csv
import gzip
from pathlib import Path

import pytest

from components.public_data.imdb import prepare
from schemas.errors import DataError

HEADER = "id,review,label,rating\n"


def _prepared(folder: Path, text: str) -> list[list[str]]:
    (folder / "imdb").mkdir()
    (folder / "imdb/imdb_train.csv.gz").write_bytes(gzip.compress(text.encode()))
    (folder / "target").mkdir()
    prepare(folder / "imdb", folder / "target")
    with (folder / "target/reviews.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def test_review_and_sentiment_are_kept(tmp_path: Path) -> None:
    rows = _prepared(tmp_path, HEADER + 'train/neg/0_3,"Bad, ""really"".<br />No.",0,3\ntrain/pos/0_9,Góod,1,9\n')
    assert rows == [["review", "sentiment"], ['Bad, "really". No.', "negative"], ["Góod", "positive"]]


def test_a_line_end_within_a_review_is_kept(tmp_path: Path) -> None:
    assert _prepared(tmp_path, HEADER + 'a,"one\ntwo",1,9\n')[1] == ["one\ntwo", "positive"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n", r"line 1.*Received: the first line.*id,review,label,rating"),
        ("", "line 1"),
        (HEADER + "a,text,1,9\nb,text,2,5\n", "line 3.*Received: b,text,2,5"),
        (HEADER + "a,text,1\n", "line 2"),
    ],
)
def test_another_table_is_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DataError, match=f"(?s)does not hold the movie reviews.*imdb_train.csv, {message}"):
        _prepared(tmp_path, text)


@pytest.mark.slow
def test_the_data_set(stf_data: Path, tmp_path: Path) -> None:
    prepare(stf_data / "imdb", tmp_path)
    with (tmp_path / "reviews.csv").open(encoding="utf-8", newline="") as file:
        sentiments = [row["sentiment"] for row in csv.DictReader(file)]
    assert (len(sentiments), sentiments.count("positive")) == (25_000, 12_500)
