"""Globs and spans as regular expressions."""

from __future__ import annotations

import pytest

from components.example_gen.glob_pattern import compiled


@pytest.mark.parametrize(
    ("pattern", "path", "matches"),
    [
        ("a*.csv", "ab.csv", True),
        ("a*.csv", "a/b.csv", False),
        ("a.csv", "aXcsv", False),
        ("**/a.csv", "a.csv", True),
        ("**/a.csv", "x/y/a.csv", True),
        ("x/**", "x/y/a.csv", True),
        ("[!a]", "a", False),
        ("[a-c]?", "bz", True),
        ("[", "[", True),
    ],
)
def test_globs(pattern: str, path: str, matches: bool) -> None:
    assert bool(compiled(pattern).fullmatch(path)) == matches


def test_placeholders_are_groups() -> None:
    match = compiled("s-{SPAN:3}/{VERSION}-*.csv").fullmatch("s-012/7-x.csv")
    assert match is not None
    assert match.groupdict() == {"SPAN": "012", "VERSION": "7"}
