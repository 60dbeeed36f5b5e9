from __future__ import annotations

import numpy as np
import pytest

from models.meaning import IdLayout
from models.warm_start import follow_values


def test_rows_follow_their_values() -> None:
    old = IdLayout(size=4, last=1, vocabulary=(b"cash", b"card"))  # and one unknown, and missing
    now = IdLayout(size=5, last=1, vocabulary=(b"card", b"app", b"cash"))
    table = np.array([[1.0], [2.0], [3.0], [4.0]])
    rows = follow_values(table, np.full((5, 1), 9.0), old=old, now=now)
    assert rows is not None
    assert rows.ravel().tolist() == [2.0, 3.0, 1.0, 3.0, 4.0]


def test_padding_of_tokens_stays_first_and_new_tokens_begin_as_unknown_ones() -> None:
    old = IdLayout(size=4, first=1, vocabulary=(b"good",))
    now = IdLayout(size=5, first=1, vocabulary=(b"pie", b"good"))
    table = np.array([[0.5], [1.0], [2.0], [4.0]])
    rows = follow_values(table, np.full((5, 1), 9.0), old=old, now=now)
    assert rows is not None
    assert rows.ravel().tolist() == [0.5, 3.0, 1.0, 2.0, 4.0]


def test_without_unknown_values_a_new_one_begins_anew() -> None:
    old = IdLayout(size=2, last=1, vocabulary=(b"a",))
    now = IdLayout(size=3, last=1, vocabulary=(b"b", b"a"))
    rows = follow_values(np.array([[1.0], [2.0]]), np.full((3, 1), 9.0), old=old, now=now)
    assert rows is not None
    assert rows.ravel().tolist() == [9.0, 1.0, 2.0]


def test_two_vocabularies_that_share_nothing() -> None:
    old, now = IdLayout(2, last=1, vocabulary=(b"a",)), IdLayout(2, last=1, vocabulary=(b"b",))
    rows = follow_values(np.array([[1.0], [2.0]]), np.full((2, 1), 9.0), old=old, now=now)
    assert rows is not None
    assert rows.ravel().tolist() == [9.0, 2.0]


@pytest.mark.parametrize(("size", "taken"), [(3, True), (4, False)])
def test_ids_without_a_vocabulary_are_taken_whole_or_not_at_all(size: int, taken: bool) -> None:
    table = np.ones((3, 2))
    rows = follow_values(table, np.zeros((size, 2)), old=IdLayout(3), now=IdLayout(size))
    assert (rows is table) == taken


def test_a_vocabulary_that_is_new_cannot_be_told() -> None:
    now = IdLayout(3, vocabulary=(b"a",))
    assert follow_values(np.ones((3, 1)), np.zeros((3, 1)), old=IdLayout(3), now=now) is None
