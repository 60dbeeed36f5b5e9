"""Which files of a remote store a glob matches, and what is told of a store that is none."""

from __future__ import annotations

import pytest

from components.example_gen.remote_store import Entry, fixed_part, select, store_of, without_user
from schemas.errors import DataError

FILES = [
    Entry("s3://b/a.csv", 3, "1"),
    Entry("s3://b/x/", 0, "2"),
    Entry("s3://b/x/b.csv", 4, "3"),
    Entry("s3://b/x/y/c.csv", 5, "4"),
]


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("s3://b/*", ["s3://b/a.csv", "s3://b/x"]),
        ("s3://b/*.csv", ["s3://b/a.csv"]),
        ("s3://b/x/*", ["s3://b/x/b.csv", "s3://b/x/y"]),
        ("s3://b/*/*.csv", ["s3://b/x/b.csv"]),
        ("s3://b/**/*.csv", ["s3://b/a.csv", "s3://b/x/b.csv", "s3://b/x/y/c.csv"]),
        ("s3://b/?", ["s3://b/x"]),
        ("s3://b/[!x]*", ["s3://b/a.csv"]),
        ("s3://b/z*", []),
    ],
)
def test_files_and_folders_that_a_glob_matches(pattern: str, found: list[str]) -> None:
    entries = select(pattern, FILES)
    assert [entry.path for entry in entries] == found
    assert all((entry.size is None) == (not entry.path.endswith(".csv")) for entry in entries)


@pytest.mark.parametrize(
    ("pattern", "fixed"), [("s3://b/a/x-*.csv", "s3://b/a/x-"), ("s3://b/[ab]", "s3://b/"), ("s3://b/a", "s3://b/a")]
)
def test_the_fixed_part(pattern: str, fixed: str) -> None:
    assert fixed_part(pattern) == fixed


def test_names_and_passwords_are_not_shown() -> None:
    assert without_user("no answer of http://me:s3cret@host/a and b@c") == "no answer of http://***@host/a and b@c"


def test_a_scheme_that_is_not_known() -> None:
    with pytest.raises(DataError, match=r"(?s)not read from there.*ftp://.*Use s3://, gs:// or hdfs://"):
        store_of("ftp://host/a")
