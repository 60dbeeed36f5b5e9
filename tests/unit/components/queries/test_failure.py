"""What messages tell of a database."""

from __future__ import annotations

import pytest

from components.queries.failure import Failure, Place


@pytest.mark.parametrize(
    ("received", "told"),
    [
        ("no entry for\n pass  word here", "no entry for *** here"),
        (f"{'x' * 495} pass  word", f"{'x' * 495} ***"),
        (f"{'x' * 499}pass  word", f"{'x' * 499}*"),
    ],
)
def test_no_part_of_the_password_is_told(received: str, told: str) -> None:
    place = Place("postgresql://ml@db/trips", secret="pass  word")
    assert place.error(Failure.OTHER, received).received == told
