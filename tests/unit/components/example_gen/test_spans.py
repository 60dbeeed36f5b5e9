"""Spans in names."""

from __future__ import annotations

from pathlib import Path

import pytest

from components.example_gen.spans import FoundSpan, find_spans, has_span, shown_spans
from schemas.errors import DataError


def _touch(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("a\n1\n")


def _found(folder: Path, pattern: str) -> list[FoundSpan]:
    return sorted(find_spans(str(folder), pattern), key=lambda found: (found.span, found.version or 0))


def test_numbers_and_strangers(tmp_path: Path) -> None:
    _touch(tmp_path, "day-1.csv", "day-10.csv", "day-002.csv", "day-x.csv", "other.csv")
    assert _found(tmp_path, "day-{SPAN}.csv") == [
        FoundSpan(1, None, "day-1.csv"),
        FoundSpan(2, None, "day-002.csv"),
        FoundSpan(10, None, "day-10.csv"),
    ]


def test_width(tmp_path: Path) -> None:
    _touch(tmp_path, "123.csv", "12.csv")
    assert _found(tmp_path, "{SPAN:2}.csv") == [FoundSpan(12, None, "12.csv")]


def test_dates_count_days_since_1970(tmp_path: Path) -> None:
    _touch(tmp_path, "1970-01-02.csv", "2020-02-30.csv", "2020-02-29.csv")
    assert [found.span for found in _found(tmp_path, "{YYYY}-{MM}-{DD}.csv")] == [1, 18321]


def test_version_and_wildcard_in_folders(tmp_path: Path) -> None:
    _touch(tmp_path, "s1/v1/a.csv", "s1/v2/a.csv", "s1/v2/b.csv")
    found = _found(tmp_path, "s{SPAN}/v{VERSION}/*.csv")
    assert {(each.span, each.version, each.pattern) for each in found} == {(1, 1, "s1/v1/*.csv"), (1, 2, "s1/v2/*.csv")}


@pytest.mark.parametrize(("pattern", "has"), [("a.csv", False), ("{SPAN}.csv", True), ("{YYYY}/{MM}/{DD}", True)])
def test_whether_a_pattern_has_spans(pattern: str, has: bool) -> None:
    assert has_span(pattern) is has


@pytest.mark.parametrize(
    "pattern",
    ["{DATE}.csv", "{SPAN}-{SPAN}.csv", "{YYYY}-{MM}.csv", "{SPAN}-{YYYY}{MM}{DD}", "{VERSION}.csv", "{span}.csv"],
)
def test_meaningless_patterns(pattern: str) -> None:
    with pytest.raises(DataError, match="pattern of the data cannot be used"):
        has_span(pattern)


def test_spans_in_words() -> None:
    assert shown_spans([3], False) == "span 3"
    assert shown_spans([0, 1], True) == "spans 0 (1970-01-01), 1 (1970-01-02)"
    assert shown_spans(list(range(20)), False) == "20 spans: 0, 1, 2, ..., 17, 18, 19"
