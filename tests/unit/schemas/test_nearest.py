from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.nearest import nearest


@pytest.mark.parametrize(
    ("name", "found"),
    [("epoch", "epochs"), ("Batch-Size", "batch_size"), ("optimiser", "optimizer"), ("zzz", None), ("", None)],
)
def test_the_closest_known_name_or_none(name: str, found: str | None) -> None:
    assert nearest(name, ["epochs", "batch_size", "optimizer"]) == found


def test_of_equally_close_names_the_first_wins() -> None:
    assert nearest("a-b", ["a_b", "A_B"]) == "a_b"


@given(st.text(), st.lists(st.text(), max_size=5))
def test_whatever_is_found_is_known(name: str, known: list[str]) -> None:
    assert nearest(name, known) in (None, *known)
